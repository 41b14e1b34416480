/**
 * The tasks of a delegate, from their assignment until their result is acknowledged: begins them, ends them when the
 * manager says so, and keeps results. It knows nothing of the network; what it has to tell goes to a listener.
 */

import type { Json } from '../../src/model/json.ts';
import type { TaskOutcome } from '../../src/model/workflow.ts';
import { isTaskName, type Journal, type Lease, nameOf, type TaskRecord } from './journal.ts';
import { killFamily } from './tasks/leftovers.ts';
import type { TaskKind } from './tasks/task.ts';

/** What a manager assigns. */
export interface Assignment {
  readonly lease: Lease;
  readonly kind: string;
  readonly payload: Json;
  /** Milliseconds; 0: no limit. */
  readonly timeout: number;
}

/** What there is to tell. None may throw. */
export interface WorkListener {
  /** Its result is on disk. */
  onDone(lease: Lease, outcome: TaskOutcome): void;
  onDeclined(lease: Lease, reason: string): void;
  /** What it has, or how much it takes, has changed. */
  onChange(): void;
  onOutput(lease: Lease, output: { readonly offset: number; readonly data: Buffer }): void;
  onProgress(lease: Lease, progress: { readonly percent: number; readonly note: string }): void;
  onFault(doing: string, error: unknown): void;
}

/** How a task stands here. */
type Held =
  | { readonly kind: 'Running'; readonly lease: Lease; readonly cancel: AbortController }
  | { readonly kind: 'Done'; readonly lease: Lease; readonly outcome: TaskOutcome };

/** What was running when the process before this one was killed: nobody knows how far it came. */
const INTERRUPTED: TaskOutcome = {
  kind: 'Failed',
  error: 'the delegate ended while the task ran',
  retryable: true,
};

export class Work {
  readonly #journal: Journal;
  readonly #kinds: Readonly<Record<string, TaskKind>>;
  readonly #most: number;
  readonly #held = new Map<string, Held>();
  readonly #runs = new Set<Promise<void>>();
  #listener: WorkListener | undefined;
  #isDraining = false;
  #isAbandoned = false;

  private constructor(parts: {
    journal: Journal;
    kinds: Readonly<Record<string, TaskKind>>;
    capacity: number;
  }) {
    this.#journal = parts.journal;
    this.#kinds = parts.kinds;
    this.#most = parts.capacity;
  }

  /** Takes up what the process before this one had: ends what it has left running, and keeps its results. */
  static async open(parts: {
    readonly journal: Journal;
    readonly kinds: Readonly<Record<string, TaskKind>>;
    readonly capacity: number;
    readonly onUnreadable: (file: string) => void;
  }): Promise<Work> {
    const work = new Work(parts);
    for (const record of await parts.journal.records(parts.onUnreadable)) {
      const done = await settled(parts.journal, record);
      work.#held.set(nameOf(done.lease), { kind: 'Done', lease: done.lease, outcome: done.outcome });
    }
    return work;
  }

  listen(listener: WorkListener): void {
    this.#listener = listener;
  }

  /** Tasks that it takes at a time; 0: no new ones. */
  get capacity(): number {
    return this.#isDraining ? 0 : this.#most;
  }

  /** Tasks that run, or whose result was not acknowledged. */
  get leases(): readonly Lease[] {
    return [...this.#held.values()].map(({ lease }) => lease);
  }

  /** Tasks that run. */
  get running(): number {
    return [...this.#held.values()].filter(({ kind }) => kind === 'Running').length;
  }

  /** Results that were not acknowledged. */
  get results(): readonly { readonly lease: Lease; readonly outcome: TaskOutcome }[] {
    return [...this.#held.values()].filter((held) => held.kind === 'Done');
  }

  assign(assignment: Assignment): void {
    const { lease, kind } = assignment;
    if (this.#held.has(nameOf(lease))) return;
    const reason = this.#whyNot(assignment);
    if (reason !== undefined) {
      this.#listener?.onDeclined(lease, reason);
      return;
    }
    const run = this.#kinds[kind] ?? unknownKind(kind);
    for (const held of this.#held.values()) {
      if (held.lease.task === lease.task && held.lease.token < lease.token) this.stop(held.lease);
    }
    const cancel = new AbortController();
    this.#held.set(nameOf(lease), { kind: 'Running', lease, cancel });
    const ended = this.#run(assignment, { run, signal: cancel.signal })
      .catch((error: unknown) => {
        this.#listener?.onFault(`task ${nameOf(lease)}`, error);
      })
      .finally(() => this.#runs.delete(ended));
    this.#runs.add(ended);
    this.#listener?.onChange();
  }

  /** The manager wants it no more: its processes are ended, and it has no result. */
  stop(lease: Lease): void {
    const held = this.#held.get(nameOf(lease));
    if (held?.kind === 'Running') held.cancel.abort();
    else if (held?.kind === 'Done') this.#forget(lease);
  }

  /** Its result was taken. */
  acknowledged(lease: Lease): void {
    if (this.#held.get(nameOf(lease))?.kind === 'Done') this.#forget(lease);
  }

  /** Takes nothing new from now on. */
  drain(): void {
    this.#isDraining = true;
    this.#listener?.onChange();
  }

  /** Ends what runs, at once. Their records stay, so that the next process tells that they were interrupted. */
  async abandon(): Promise<void> {
    this.#isDraining = true;
    this.#isAbandoned = true;
    for (const held of this.#held.values()) if (held.kind === 'Running') held.cancel.abort();
    await Promise.all(this.#runs);
  }

  #whyNot({ lease }: Assignment): string | undefined {
    if (this.#isDraining) return 'it is about to end';
    if (this.running >= this.#most) return `it runs ${this.running} tasks already`;
    if (!isTaskName(lease.task)) return 'its name is no name for a file';
    return undefined;
  }

  async #run(
    { lease, payload, timeout }: Assignment,
    { run, signal }: { run: TaskKind; signal: AbortSignal },
  ): Promise<void> {
    const family = `${this.#journal.owner}/${nameOf(lease)}`;
    let offset = 0;
    let outcome: TaskOutcome;
    try {
      await this.#journal.write({ state: 'Running', lease, family });
      outcome = await run({
        payload,
        timeout,
        signal,
        folder: await this.#journal.workFolder(lease),
        family,
        onOutput: (data) => {
          this.#listener?.onOutput(lease, { offset, data });
          offset += data.length;
        },
        onProgress: (percent, note) => this.#listener?.onProgress(lease, { percent, note }),
      });
    } catch (error) {
      // A payload that cannot be read is the author's fault; a disk or a process table that is full is ours.
      const retryable = !(error instanceof TypeError);
      outcome = { kind: 'Failed', error: String(error instanceof Error ? error.message : error), retryable };
    }
    await this.#journal.removeWorkFolder(lease).catch((error: unknown) => {
      this.#listener?.onFault(`removing the folder of task ${nameOf(lease)}`, error);
    });
    if (this.#isAbandoned) return;
    if (signal.aborted) this.#forget(lease);
    else await this.#finish(lease, outcome);
  }

  async #finish(lease: Lease, outcome: TaskOutcome): Promise<void> {
    await this.#journal.write({ state: 'Done', lease, outcome }).catch((error: unknown) => {
      // The manager takes a result once: after a crash, the other one that would be told then counts for nothing.
      this.#listener?.onFault(`keeping the result of task ${nameOf(lease)}`, error);
    });
    // It may have been stopped while the result was written.
    const held = this.#held.get(nameOf(lease));
    if (held?.kind === 'Running' && held.cancel.signal.aborted) {
      this.#forget(lease);
      return;
    }
    this.#held.set(nameOf(lease), { kind: 'Done', lease, outcome });
    this.#listener?.onDone(lease, outcome);
    this.#listener?.onChange();
  }

  #forget(lease: Lease): void {
    this.#held.delete(nameOf(lease));
    this.#journal.forget(lease).catch((error: unknown) => {
      this.#listener?.onFault(`forgetting task ${nameOf(lease)}`, error);
    });
    this.#listener?.onChange();
  }
}

/** No other delegate of the version knows it either: that is for the author of the pipeline to hear. */
function unknownKind(kind: string): TaskKind {
  return async () => ({
    kind: 'Failed',
    error: `delegates of this version know no tasks of kind ${JSON.stringify(kind)}`,
    retryable: false,
  });
}

/** The record of a task that does not run any more. */
async function settled(
  journal: Journal,
  record: TaskRecord,
): Promise<Extract<TaskRecord, { state: 'Done' }>> {
  if (record.state === 'Done') return record;
  await killFamily(record.family);
  await journal.removeWorkFolder(record.lease);
  const done = { state: 'Done', lease: record.lease, outcome: INTERRUPTED } as const;
  await journal.write(done);
  return done;
}
