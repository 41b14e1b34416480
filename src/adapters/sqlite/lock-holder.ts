/**
 * Who holds the lock of a file, in words for an error message. Linux lists all locks in /proc/locks by device and
 * inode; elsewhere, and in a container that hides the other process, the holder stays unknown.
 */
import { readFileSync, statSync } from 'node:fs';

/** `process 4711`, or `another process`. */
export function lockHolder(file: string): string {
  try {
    const pid = findHolder(readFileSync('/proc/locks', 'utf8'), statSync(file).ino);
    return pid === undefined ? 'another process' : `process ${pid}`;
  } catch {
    return 'another process';
  }
}

/** The process with a write lock on an inode. A line is `1: POSIX  ADVISORY  WRITE 4711 fe:00:1234 0 EOF`. */
export function findHolder(locks: string, inode: number): number | undefined {
  for (const line of locks.split('\n')) {
    const match = /^\d+: POSIX +\S+ +WRITE +(\d+) +[0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line);
    if (match !== null && Number(match[2]) === inode && Number(match[1]) > 0) return Number(match[1]);
  }
  return undefined;
}
