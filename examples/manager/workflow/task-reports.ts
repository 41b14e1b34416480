/** What delegates tell of tasks while they run: how far they are, and the end of their output. Only of this instance's streams. */

/** How far a task is. */
export interface TaskReport {
  /** 0 to 100; absent: it does not say. */
  readonly percent?: number;
  readonly note: string;
  /** The end of its output. */
  readonly log: string;
}

const KEPT_BYTES = 64 * 1024;
const MOST_TASKS = 500;

interface Kept {
  percent?: number;
  note: string;
  chunks: Buffer[];
  size: number;
  /** The offset after the last piece. */
  end: bigint;
}

export class TaskReports {
  /** Those that were heard of last come last. */
  readonly #tasks = new Map<string, Kept>();

  progress(task: string, { percent, note }: { percent: number; note: string }): void {
    const kept = this.#touch(task);
    kept.percent = Math.min(100, percent);
    kept.note = note.slice(0, 200);
  }

  /** A piece that came before is left out; where some are missing, that is shown. */
  log(task: string, { offset, data }: { offset: bigint; data: Uint8Array }): void {
    const kept = this.#touch(task);
    const end = offset + BigInt(data.length);
    if (end <= kept.end) return;
    if (offset > kept.end) this.#add(kept, Buffer.from(`\n… ${offset - kept.end} bytes are missing …\n`));
    const isNew = offset >= kept.end ? data : data.subarray(Number(kept.end - offset));
    this.#add(kept, Buffer.from(isNew));
    kept.end = end;
  }

  get(task: string): TaskReport | undefined {
    const kept = this.#tasks.get(task);
    if (kept === undefined) return undefined;
    const { percent, note, chunks } = kept;
    return { ...(percent !== undefined && { percent }), note, log: Buffer.concat(chunks).toString('utf8') };
  }

  forget(task: string): void {
    this.#tasks.delete(task);
  }

  #touch(task: string): Kept {
    const kept = this.#tasks.get(task) ?? { note: '', chunks: [], size: 0, end: 0n };
    this.#tasks.delete(task);
    this.#tasks.set(task, kept);
    if (this.#tasks.size > MOST_TASKS) {
      const [oldest] = this.#tasks.keys();
      if (oldest !== undefined) this.#tasks.delete(oldest);
    }
    return kept;
  }

  #add(kept: Kept, chunk: Buffer): void {
    kept.chunks.push(chunk);
    kept.size += chunk.length;
    while (kept.size > KEPT_BYTES && kept.chunks.length > 1) kept.size -= kept.chunks.shift()?.length ?? 0;
  }
}
