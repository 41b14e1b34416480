/**
 * Follows the content of one file. A path enters; each new content leaves once it has stood still. It looks at the
 * file again and again instead of asking the kernel for events: that also sees a rename over it, a symbolic link that
 * is switched anywhere on the way, a folder that comes later, and file systems without events. A file that is still
 * being written is not read, since half a list would look like a shorter one.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';

/** What a look at the file found. */
export type FileContent =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'Missing' }
  | { readonly kind: 'Unreadable'; readonly reason: string };

export interface FileWatch {
  readonly path: string;
  readonly clock: Clock;
  /** Time between two looks. */
  readonly interval: Milliseconds;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Takes the first content and each later one; the next look waits for it. */
  readonly onContent: (content: FileContent) => Promise<void>;
}

/** A larger file is not read. */
const LARGEST_FILE = 1024 * 1024;
/** A file whose last change is older than this is not being written. */
const SETTLED_AGE: Milliseconds = 1000;

/** Watches until the signal is aborted, then resolves. */
export async function watchFile(watch: FileWatch): Promise<void> {
  let seen: string | undefined;
  let reported: string | undefined;
  while (!watch.signal.aborted) {
    const look = await lookAt(watch.path);
    const stoodStill = look.mark === seen || (reported === undefined && isSettled(look, watch));
    if (stoodStill && look.mark !== reported) {
      const content = await contentOf(look, watch.path);
      if (watch.signal.aborted) return;
      await watch.onContent(content);
      reported = look.mark;
    }
    seen = look.mark;
    await pause(watch);
  }
}

/** One look: `mark` is equal for two looks between which the file was not changed. */
type Look = { readonly mark: string } & (
  | { readonly kind: 'File'; readonly changedAt: Milliseconds }
  | { readonly kind: 'Missing' }
  | { readonly kind: 'Unreadable'; readonly reason: string }
);

async function lookAt(path: string): Promise<Look> {
  let stats: BigIntStats;
  try {
    stats = await stat(path, { bigint: true });
  } catch (error) {
    return fromError(error);
  }
  if (!stats.isFile()) return unreadable('it is not a regular file');
  if (stats.size > LARGEST_FILE) return unreadable(`it is larger than ${LARGEST_FILE} bytes`);
  // The change time is set by the kernel alone, so that it also moves where a tool sets the modification time back.
  const mark = [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
  return { kind: 'File', mark, changedAt: Number(stats.ctimeMs) };
}

/** Whether a first look may be trusted at once, so that a restart does not wait. */
function isSettled(look: Look, watch: FileWatch): boolean {
  return look.kind !== 'File' || watch.clock.now() - look.changedAt > SETTLED_AGE;
}

async function contentOf(look: Look, path: string): Promise<FileContent> {
  if (look.kind === 'Missing') return { kind: 'Missing' };
  if (look.kind === 'Unreadable') return { kind: 'Unreadable', reason: look.reason };
  try {
    return { kind: 'Text', text: await readFile(path, 'utf8') };
  } catch (error) {
    const failed = fromError(error);
    return failed.kind === 'Unreadable' ? { kind: 'Unreadable', reason: failed.reason } : { kind: 'Missing' };
  }
}

function fromError(error: unknown): Look & { readonly kind: 'Missing' | 'Unreadable' } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'Missing', mark: 'missing' };
  return unreadable(message);
}

function unreadable(reason: string): Look & { readonly kind: 'Unreadable' } {
  return { kind: 'Unreadable', mark: `unreadable: ${reason}`, reason };
}

async function pause({ clock, interval, signal }: FileWatch): Promise<void> {
  try {
    await clock.sleep(interval, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
