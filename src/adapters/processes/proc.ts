/**
 * What the kernel tells about processes (proc(5)): a process id enters, facts leave. A process that is gone, or that
 * we may not read, is `undefined`: it can go at any moment. What could not be read for another reason (no file
 * descriptor left, say) is an error, since to take it for gone would mean to start it twice.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The variable that names the instance in the environment of its processes. */
export const INSTANCE_VARIABLE = 'SWITCHYARD_INSTANCE';

/** The fields of /proc/PID/stat that we use. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter; `Z` is a zombie and `X` is dead. */
  readonly state: string;
  /** The session's id: the process id of the process that made it. */
  readonly session: number;
  /** Field 22: when it started, in clock ticks since boot. */
  readonly startTime: number;
}

/** Parses the text of /proc/PID/stat. The second field is a name in parentheses that may itself hold any character. */
export function parseStat(text: string): ProcessStat | undefined {
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const session = Number(fields[3]);
  const startTime = Number(fields[19]);
  if (
    state === undefined ||
    !Number.isInteger(pid) ||
    !Number.isInteger(session) ||
    !Number.isInteger(startTime)
  )
    return undefined;
  return { pid, state, session, startTime };
}

/** The facts of a process, read at once: they hold as long as the caller does not wait. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Whether a process of this state runs no more: a zombie has ended and only waits to be collected. */
export function isDead(state: string): boolean {
  return state === 'Z' || state === 'X';
}

/** Ids of all processes that we can see. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

/** The instance that a process was started for, by the environment that it was started with. */
export async function instanceOf(pid: number): Promise<string | undefined> {
  let environment: string;
  try {
    environment = await readFile(`/proc/${pid}/environ`, 'utf8');
  } catch (error) {
    if (isGone(error) || isForbidden(error)) return undefined;
    throw error;
  }
  const prefix = `${INSTANCE_VARIABLE}=`;
  return environment
    .split('\0')
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Whether a read failed because the process is no more. */
export function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** Whether a read failed because the process is somebody else's. */
export function isForbidden(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EACCES' || code === 'EPERM';
}

let thisBoot: string | undefined;

/** Names this boot of the machine: process ids and start times of another boot mean nothing. */
export function bootId(): string {
  thisBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return thisBoot;
}
