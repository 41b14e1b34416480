/**
 * The recorded state in memory, and the only way to change it: one change at a time, compared and committed to the
 * store before anybody sees it. What a reader gets here has survived kill -9.
 */
import type { AuditEvent } from '../model/audit.ts';
import type { ServiceName } from '../model/names.ts';
import type { Roll, RollRecord } from '../model/parity.ts';
import type { RolloutId, RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Commit, ProxySeen, Store } from '../ports/store.ts';
import { replacedRollout } from '../rollout/start.ts';

/** How many publication numbers are reserved ahead, so that a restart never uses one twice. */
const RESERVED_NUMBERS = 1000;

export type Records = ReadonlyMap<ServiceName, ServiceRecord>;

/** What a change decides: what to commit, and what to tell its caller. */
export interface Decided<Result> {
  /** Absent: nothing is to be written. */
  readonly commit?: Omit<Commit, 'nextPublication'>;
  readonly result: Result;
}

export class Ledger {
  readonly #store: Store;
  readonly #isReplicated: boolean;
  #commitNumber = 0;
  #records: Records;
  #everWritten: boolean;
  #nextNumber: number;
  #reservedUpTo: number;
  #tail: Promise<unknown> = Promise.resolve();
  #rolls: ReadonlyMap<RolloutId, Roll> = new Map();
  readonly #eventListeners = new Set<(events: readonly AuditEvent[]) => void>();
  /** Proxies as they were stored; the tracker goes on from there. */
  readonly storedProxies: readonly ProxySeen[];

  private constructor(store: Store, state: Awaited<ReturnType<Store['load']>>, isReplicated: boolean) {
    this.#store = store;
    this.#isReplicated = isReplicated;
    this.#records = new Map(state.services.map((record) => [record.name, record]));
    this.#everWritten = state.everWritten;
    this.#commitNumber = state.publication ?? 0;
    this.#nextNumber = state.nextPublication;
    this.#reservedUpTo = state.nextPublication;
    this.storedProxies = state.proxies;
  }

  /**
   * Loads what is stored. Rejects with the store's error where it cannot be read. `isReplicated`: other replicas show its
   * commits too, so each has a number by which they are compared.
   */
  static async open(store: Store, isReplicated = false): Promise<Ledger> {
    const ledger = new Ledger(store, await store.load(), isReplicated);
    await ledger.#loadRolls();
    if (ledger.#everWritten) await ledger.change(() => ({ commit: {}, result: undefined }));
    return ledger;
  }

  /** The records of all services, as committed. */
  records(): Records {
    return this.#records;
  }

  /** Whom an open rollout waits for; undefined where its roll is not fixed. */
  rollOf(rollout: RolloutId): Roll | undefined {
    return this.#rolls.get(rollout);
  }

  /** The number of the newest commit that changed records, where commits have one; 0 before the first. */
  get commitNumber(): number {
    return this.#commitNumber;
  }

  /** Whether a service was ever stored: an empty store must not wipe configured proxies (rule 7). */
  get everWritten(): boolean {
    return this.#everWritten;
  }

  /**
   * Runs `decide` on the current records, alone, and commits what it decides. `decide` must not wait. Rejects with what
   * `decide` throws or with the store's error; nothing has changed then.
   */
  change<Result>(decide: (records: Records) => Decided<Result>): Promise<Result> {
    const run = async (): Promise<Result> => {
      const { commit, result } = decide(this.#records);
      if (commit !== undefined) await this.#commit(commit);
      return result;
    };
    const outcome = this.#tail.then(run, run);
    this.#tail = outcome.catch(() => undefined);
    return outcome;
  }

  /** The number of the next publication. Always below what the store has reserved. */
  takeNumber(): number {
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    return number;
  }

  /** Whether more numbers must be reserved before many more are taken. */
  get needsNumbers(): boolean {
    return this.#everWritten && this.#reservedUpTo - this.#nextNumber < RESERVED_NUMBERS / 2;
  }

  /** Reserves more publication numbers. */
  async reserveNumbers(): Promise<void> {
    await this.change(() => ({ ...(this.needsNumbers ? { commit: {} } : {}), result: undefined }));
  }

  /** Calls back with the events of each commit. Returns the way to stop that. */
  subscribe(listener: (events: readonly AuditEvent[]) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  async #commit(commit: Omit<Commit, 'nextPublication'>): Promise<void> {
    const isShown = (commit.services ?? []).length + (commit.deletions ?? []).length > 0;
    const publication = this.#isReplicated && isShown ? this.takeNumber() : undefined;
    const reserve = this.#nextNumber + RESERVED_NUMBERS;
    const rollouts = (commit.services ?? []).flatMap((record) => this.#replacedBy(record));
    const events = await this.#store.commit({
      ...commit,
      rollouts,
      nextPublication: reserve,
      ...(publication === undefined ? {} : { publication }),
    });
    this.#reservedUpTo = reserve;
    this.#commitNumber = publication ?? this.#commitNumber;
    const records = new Map(this.#records);
    for (const { name } of commit.deletions ?? []) records.delete(name);
    for (const record of commit.services ?? []) records.set(record.name, record);
    this.#records = records;
    this.#keepRolls(commit.rolls ?? []);
    this.#everWritten ||= (commit.services ?? []).length > 0;
    for (const listener of this.#eventListeners) listener(events);
  }

  async #loadRolls(): Promise<void> {
    const rolls = new Map<RolloutId, Roll>();
    for (const { rollout } of this.#records.values()) {
      const roll = rollout?.rollFixedAt === undefined ? undefined : await this.#store.roll(rollout.id);
      if (rollout !== undefined && roll !== undefined) rolls.set(rollout.id, roll);
    }
    this.#rolls = rolls;
  }

  /** Only those of rollouts that are recorded with their services are asked for. */
  #keepRolls(fresh: readonly RollRecord[]): void {
    const rolls = new Map(fresh.map(({ rollout, roll }) => [rollout, roll]));
    for (const { rollout } of this.#records.values()) {
      const roll = rollout === undefined ? undefined : this.#rolls.get(rollout.id);
      if (rollout !== undefined && roll !== undefined && !rolls.has(rollout.id)) rolls.set(rollout.id, roll);
    }
    this.#rolls = rolls;
  }

  /** A record has room for one rollout: the end of one that made way is handed to the store beside it. */
  #replacedBy(record: ServiceRecord): readonly RolloutRecord[] {
    const before = this.#records.get(record.name);
    const replaced = before === undefined ? undefined : replacedRollout(before, record);
    return replaced === undefined ? [] : [replaced];
  }
}
