/**
 * The record of one instance in memory and on disk. A change enters; it is visible here at once and on disk when the
 * call resolves. Some changes must be on disk before their deed is done, others may wait for the next write.
 */
import type { Journal } from './journal.ts';
import type { InstanceRecord } from './record.ts';

export class KeptRecord {
  readonly #journal: Journal;
  #current: InstanceRecord;
  #problem: string | undefined;

  constructor(journal: Journal, record: InstanceRecord) {
    this.#journal = journal;
    this.#current = record;
  }

  get current(): InstanceRecord {
    return this.#current;
  }

  /** Why the record on disk is older than this one; undefined when it is not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Writes a change that must not be lost. Where it cannot be written it is taken back and the error is thrown. */
  async write(change: Partial<InstanceRecord>): Promise<void> {
    const before = this.#current;
    this.#current = { ...before, ...change };
    try {
      await this.#save();
    } catch (error) {
      this.#current = { ...this.#current, ...restored(before, change) };
      throw error;
    }
  }

  /** Writes a change that may be lost in a crash. Where it cannot be written it stays in memory, and `problem` says so. */
  async note(change: Partial<InstanceRecord>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    await this.#save().catch(() => undefined);
  }

  /** Changes only what is in memory; the next write takes it along. */
  set(change: Partial<InstanceRecord>): void {
    this.#current = { ...this.#current, ...change };
  }

  async remove(): Promise<void> {
    await this.#journal.remove(this.#current.id);
  }

  async #save(): Promise<void> {
    try {
      await this.#journal.write(this.#current);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = `the record of ${this.#current.id} cannot be written: ${(error as Error).message}`;
      throw error;
    }
  }
}

/** The fields of `change` as they were. */
function restored(before: InstanceRecord, change: Partial<InstanceRecord>): Partial<InstanceRecord> {
  const keys = Object.keys(change) as (keyof InstanceRecord)[];
  return Object.fromEntries(keys.map((key) => [key, before[key]]));
}
