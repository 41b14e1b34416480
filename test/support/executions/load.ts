/**
 * Customers that start executions all the time, do their part in them, and see each through to its end. How each must
 * end is known when it is started.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionId } from '../../../src/model/workflow.ts';
import type { Chance } from '../rollout-simulation/chance.ts';
import type { Customer, Shown } from './customer.ts';
import { ASK, calledPipelines, KINDS, type Kind, type Made, WAITING } from './kinds.ts';

/** An execution as its customer knows it. */
export interface Begun {
  readonly id: ExecutionId;
  readonly tenant: string;
  readonly kind: Kind;
  readonly made: Made;
  /** A Retry of it was refused: its version takes no more work, so it stays Failed. */
  isGivenUp: boolean;
  /** What its customer saw in the end; absent: not yet. */
  end?: Shown;
}

export interface LoadOptions {
  readonly customers: readonly Customer[];
  readonly chance: Chance;
  /** A folder for marks. */
  readonly folder: string;
  readonly diary: string;
  readonly web: string;
  /** Starts in a second. */
  readonly rate: number;
  readonly stop: AbortSignal;
}

/** Executions that run at a time: more would only wait for each other. */
const MOST_OPEN = 120;
const LOOK_EVERY_MS = 1_000;

export class Load {
  readonly begun: Begun[] = [];
  /** What went wrong in the customers' own hands. */
  readonly faults: string[] = [];
  readonly #options: LoadOptions;
  readonly #enough = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #number = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** Executions that were asked for. */
  get asked(): number {
    return this.#number;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Starts executions until `enough`, and resolves when all have ended. Rejects at the signal. */
  async run(): Promise<void> {
    const { rate, stop, chance } = this.#options;
    const pause = AbortSignal.any([stop, this.#enough.signal]);
    while (!this.#enough.signal.aborted) {
      stop.throwIfAborted();
      if (this.#open.size < MOST_OPEN) this.#begin();
      await sleep((2 * chance.next() * 1000) / rate, undefined, { signal: pause }).catch(() => {});
    }
    while (this.#open.size > 0) {
      await Promise.race([...this.#open, sleep(LOOK_EVERY_MS, undefined, { signal: stop })]);
      stop.throwIfAborted();
    }
  }

  /** No more are started. */
  enough(): void {
    this.#enough.abort();
  }

  #begin(): void {
    const { chance, folder, diary, web, customers } = this.#options;
    this.#number += 1;
    const number = this.#number;
    const made = { number, diary, web, mark: join(folder, `mark-${number}`), chance: chance.next() };
    const [kind, customer] = [chosen(chance.next()), chance.of(customers)];
    const asksTwice = chance.in(0.1);
    const life = this.#live({ kind, customer, made, asksTwice })
      .catch((error: unknown) => {
        if (!this.#options.stop.aborted)
          this.faults.push(`execution ${number} (${kind.name}): ${String(error)}`);
      })
      .finally(() => this.#open.delete(life));
    this.#open.add(life);
  }

  async #live(life: { kind: Kind; customer: Customer; made: Made; asksTwice: boolean }): Promise<void> {
    const { kind, customer, made, asksTwice } = life;
    const text = [kind.pipeline(made), ...calledPipelines(made)]
      .map((document) => JSON.stringify(document))
      .join('\n---\n');
    const key = `key-${made.number}`;
    const [id] = await Promise.all([
      customer.start(text, key),
      ...(asksTwice ? [customer.start(text, key)] : []),
    ]);
    const begun: Begun = { id, tenant: customer.tenant, kind, made, isGivenUp: false };
    this.begun.push(begun);
    await this.#act(begun, customer);
    begun.end = await this.#ended(begun, customer);
  }

  /** Does what its customer has to do. */
  async #act(begun: Begun, customer: Customer): Promise<void> {
    const { kind, id, made } = begun;
    switch (kind.deed) {
      case 'Nothing':
        return;
      case 'Approve':
      case 'Reject':
        await this.#until(begun, customer, (shown) => shown.data?.steps[ASK]?.state === 'Running');
        await customer.command(id, 'approve', { step: ASK, decision: kind.deed });
        return;
      case 'Cancel':
        await this.#until(begun, customer, (shown) => shown.data?.steps[WAITING]?.state === 'Running');
        await customer.command(id, 'cancel', { reason: 'it was meant to be' });
        return;
      case 'Repair':
        await this.#until(begun, customer, ({ state }) => state === 'Failed');
        await writeFile(made.mark, '');
        begun.isGivenUp = !(await customer.command(id, 'retry', { reason: 'repaired' }));
        if (!begun.isGivenUp) await this.#until(begun, customer, ({ state }) => state !== 'Failed');
        return;
      default:
        kind.deed satisfies never;
    }
  }

  async #until(begun: Begun, customer: Customer, holds: (shown: Shown) => boolean): Promise<void> {
    for (;;) {
      if (holds(await customer.show(begun.id))) return;
      await this.#pause(LOOK_EVERY_MS / 2);
    }
  }

  /** Asks for all that run together: hundreds do. */
  async #ended({ id }: Begun, customer: Customer): Promise<Shown> {
    for (;;) {
      if (!(await this.#runningOf(customer)).has(id)) {
        const shown = await customer.show(id);
        if (shown.state !== 'Running') return shown;
      }
      await this.#pause(LOOK_EVERY_MS / 2);
    }
  }

  readonly #lists = new Map<Customer, Promise<ReadonlyMap<string, Shown>>>();

  /** One list for all that ask within a second. It is asked for after the question: what it lacks has ended. */
  #runningOf(customer: Customer): Promise<ReadonlyMap<string, Shown>> {
    const coming = this.#lists.get(customer);
    if (coming !== undefined) return coming;
    const list = this.#pause(LOOK_EVERY_MS).then(() => {
      this.#lists.delete(customer);
      return customer.running();
    });
    this.#lists.set(customer, list);
    return list;
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#options.stop });
  }
}

/** A kind by its share. */
function chosen(chance: number): Kind {
  let left = chance * KINDS.reduce((sum, { share }) => sum + share, 0);
  for (const kind of KINDS) {
    left -= kind.share;
    if (left < 0) return kind;
  }
  throw new RangeError(`a chance is from 0 to below 1, not ${chance}`);
}
