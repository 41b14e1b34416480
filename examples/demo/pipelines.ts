/**
 * The customers of the demo: each of the two tenants starts pipelines all the time, through the gateway, and remembers
 * what it was told. Most take a few seconds, some forty.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TENANTS } from '../../test/support/executions/boxes.ts';
import { Customer } from '../../test/support/executions/customer.ts';
import type { Told } from '../../test/support/workflow/history-checker.ts';

/** Seconds that one pipeline after the other takes. */
const LENGTHS: readonly number[] = [1, 3, 1, 8, 2, 40, 1, 5, 2, 20, 1, 12];
/** The longest. */
export const LONGEST = 40;
const START_EVERY_MS = 500;
const LOOK_EVERY_MS = 500;
const ENDED_WITHIN_MS = 120_000;
const TAKEN_WITHIN_MS = 5_000;

/** A pipeline that somebody starts on purpose. */
export interface Wish {
  readonly tenant: string;
  readonly seconds: number;
  /** The version that it shall run on. */
  readonly pin: string;
}

/** How the executions fare just now. */
export interface PipelinesProgress {
  readonly started: number;
  /** Those that run, by version. */
  readonly running: ReadonlyMap<string, number>;
}

export class Pipelines {
  readonly #url: string;
  readonly #over = new AbortController();
  readonly #enough = new AbortController();
  readonly #customers: readonly Customer[];
  /** Of those that were started on purpose. */
  readonly #onPurpose: Customer[] = [];
  readonly #faults: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #longest = LONGEST;
  #asked = 0;
  #running: ReadonlyMap<string, number> = new Map();
  #work: readonly Promise<void>[] = [];

  constructor(url: string) {
    this.#url = url;
    this.#customers = TENANTS.map((tenant) => new Customer({ tenant, url, stop: this.#over.signal }));
  }

  /** Begins to start pipelines. */
  start(): void {
    this.#work = [this.#startAll(), this.#look()];
  }

  /** Starts some on purpose, at once, and tells how many were taken: their version may be fenced by then. */
  async begin(wishes: readonly Wish[]): Promise<number> {
    const begun = await Promise.all(wishes.map((wish) => this.#tryOnce(wish)));
    return begun.filter(Boolean).length;
  }

  /** From now on none takes longer, so that nobody has to wait for the end of the demo. */
  atMost(seconds: number): void {
    this.#longest = seconds;
  }

  /** Starts no more, and resolves when all have ended. Rejects where they do not. */
  async settled(): Promise<void> {
    this.#enough.abort();
    await Promise.all(this.#underWay);
    const giveUpAt = performance.now() + ENDED_WITHIN_MS;
    for (;;) {
      const open = (await this.#open()).length;
      if (open === 0) break;
      if (performance.now() > giveUpAt)
        throw new Error(`${open} executions have not ended within ${ENDED_WITHIN_MS / 1000} s`);
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#over.signal });
    }
    this.close();
    await Promise.all(this.#work);
  }

  /** Asks nobody any more. */
  close(): void {
    this.#enough.abort();
    this.#over.abort(new Error('the demo is over'));
  }

  progress(): PipelinesProgress {
    return { started: this.told.length, running: this.#running };
  }

  /** What managers have promised. */
  get told(): readonly Told[] {
    return this.#all.flatMap(({ told }) => told);
  }

  /** Why some could not be begun, one sentence each. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  async #tryOnce({ tenant, seconds, pin }: Wish): Promise<boolean> {
    const customer = new Customer({
      tenant,
      url: this.#url,
      stop: AbortSignal.any([this.#over.signal, AbortSignal.timeout(TAKEN_WITHIN_MS)]),
      pin,
    });
    this.#onPurpose.push(customer);
    return customer.start(quick(seconds), `demo-${tenant}-on-${pin}`).then(
      () => true,
      () => false,
    );
  }

  get #all(): readonly Customer[] {
    return [...this.#customers, ...this.#onPurpose];
  }

  async #startAll(): Promise<void> {
    const { signal } = this.#enough;
    for (let turn = 0; !signal.aborted; turn += 1) {
      const customer = this.#customers[turn % this.#customers.length];
      const seconds = LENGTHS[Math.floor(turn / this.#customers.length) % LENGTHS.length] ?? 1;
      if (customer !== undefined) void this.#order(customer, Math.min(seconds, this.#longest));
      await sleep(START_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  #order(customer: Customer, seconds: number): Promise<void> {
    this.#asked += 1;
    const key = `demo-${this.#asked}`;
    const order = customer
      .start(quick(seconds), key)
      .then(() => {})
      .catch((error: unknown) => {
        if (!this.#over.signal.aborted)
          this.#faults.push(`pipeline ${this.#asked} was not started: ${String(error)}`);
      })
      .finally(() => this.#underWay.delete(order));
    this.#underWay.add(order);
    return order;
  }

  /** Counts those that run, for the screen. */
  async #look(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const open = await this.#open().catch(() => undefined);
      if (open !== undefined) {
        const byVersion = Map.groupBy(open, ({ version }) => version);
        this.#running = new Map([...byVersion].map(([version, of]) => [version, of.length]));
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #open() {
    const lists = await Promise.all(this.#customers.map((customer) => customer.running()));
    return lists.flatMap((list) => [...list.values()]);
  }
}

/** A pipeline that managers know by name, of two tasks. */
function quick(seconds: number) {
  return { name: 'quick', input: { seconds: String(seconds) } };
}
