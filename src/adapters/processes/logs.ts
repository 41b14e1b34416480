/**
 * The output of instances: one file for each, which the processes themselves append to. A pipe to us would kill them
 * when we die. A file that has grown too large is copied to FILE.1 and emptied; lines written between the copy and
 * the emptying are lost, and nothing is trimmed while no controller runs.
 */
import { closeSync, openSync } from 'node:fs';
import { copyFile, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const EXTENSION = '.log';
/** Bytes at the end of a log that are searched for its last line. */
const TAIL = 4096;
/** A longer line is cut for messages. */
const LONGEST_LINE = 200;

export interface LogLimits {
  /** A log is trimmed when it is larger, in bytes. */
  readonly size: number;
  /** Logs of instances that are gone that are kept, newest first. */
  readonly ofGoneInstances: number;
}

export class Logs {
  readonly folder: string;
  readonly #limits: LogLimits;

  constructor(folder: string, limits: LogLimits) {
    this.folder = folder;
    this.#limits = limits;
  }

  path(id: string): string {
    return join(this.folder, `${id}${EXTENSION}`);
  }

  /** Calls `use` with a descriptor that appends to an instance's log, and closes it. Waits for nothing. */
  withAppendable<Result>(id: string, use: (descriptor: number) => Result): Result {
    const descriptor = openSync(this.path(id), 'a', 0o600);
    try {
      return use(descriptor);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Bytes that a log holds; 0 where there is none. */
  async size(id: string): Promise<number> {
    return (await stat(this.path(id)).catch(() => undefined))?.size ?? 0;
  }

  /** The last line that was written after the first `from` bytes, cut to a length for messages; empty where there is none. */
  async lastLine(id: string, from: number): Promise<string> {
    const file = await open(this.path(id), 'r').catch(() => undefined);
    if (file === undefined) return '';
    try {
      const { size } = await file.stat();
      const start = Math.max(size < from ? 0 : from, size - TAIL);
      const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
      return lastLineOf(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  }

  /** Empties a log that is too large, keeping what it held as FILE.1. */
  async trim(id: string): Promise<void> {
    if ((await this.size(id)) <= this.#limits.size) return;
    await copyFile(this.path(id), `${this.path(id)}.1`);
    await truncate(this.path(id), 0);
  }

  /** Removes logs of instances that are gone, but for the newest. */
  async prune(living: ReadonlySet<string>): Promise<void> {
    const ids = (await readdir(this.folder))
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => name.slice(0, -EXTENSION.length));
    const gone = await Promise.all(
      ids
        .filter((id) => !living.has(id))
        .map(async (id) => ({ id, at: (await stat(this.path(id))).mtimeMs })),
    );
    const surplus = gone.toSorted((a, b) => b.at - a.at).slice(this.#limits.ofGoneInstances);
    for (const { id } of surplus) {
      await rm(this.path(id), { force: true });
      await rm(`${this.path(id)}.1`, { force: true });
    }
  }
}

function lastLineOf(text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  // Control characters, colour codes above all, have no place in a one-line reason.
  const plain = stripVTControlCharacters(line)
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim();
  return plain.length > LONGEST_LINE ? `${plain.slice(0, LONGEST_LINE)}…` : plain;
}
