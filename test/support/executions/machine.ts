/**
 * What of a world really runs on this machine, read from /proc: whatever was started for it carries `WORLD=folder` in its
 * environment, or works below that folder. Nothing of the code under test is asked.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of a manager or a delegate. */
export interface Member {
  readonly pid: number;
  readonly version: string;
  /** The box of a delegate; absent for a manager. */
  readonly box?: string;
}

interface Found {
  readonly pid: number;
  readonly environment: ReadonlyMap<string, string>;
}

/** The managers and delegates of a world that live now. */
export function membersOf(world: string): { readonly managers: Member[]; readonly delegates: Member[] } {
  const managers: Member[] = [];
  const delegates: Member[] = [];
  for (const { pid, environment } of marked(world)) {
    const version = environment.get('SWITCHYARD_VERSION');
    const box = environment.get('SWITCHYARD_BOX');
    if (version !== undefined && box !== undefined) delegates.push({ pid, version, box });
    else {
      const [, named] = /--version\0([^\0]+)/.exec(commandLine(pid)) ?? [];
      if (named !== undefined) managers.push({ pid, version: named });
    }
  }
  return { managers, delegates };
}

/** Everything of a world that lives: also what tasks have started. */
export function aliveIn(world: string): readonly { readonly pid: number; readonly command: string }[] {
  const pids = new Set(marked(world).map(({ pid }) => pid));
  for (const pid of processIds()) if (worksBelow(pid, world)) pids.add(pid);
  return [...pids].map((pid) => ({ pid, command: commandLine(pid).replaceAll('\0', ' ').trim() }));
}

function marked(world: string): readonly Found[] {
  return processIds().flatMap((pid) => {
    const environment = environmentOf(pid);
    return environment?.get('WORLD') === world && !isDead(pid) ? [{ pid, environment }] : [];
  });
}

function processIds(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

/** Undefined where it has ended or is not ours to look into. */
function environmentOf(pid: number): ReadonlyMap<string, string> | undefined {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return new Map(variables.map((variable) => pair(variable)));
  } catch {
    return undefined;
  }
}

function pair(variable: string): readonly [string, string] {
  const at = variable.indexOf('=');
  return [variable.slice(0, at), variable.slice(at + 1)];
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function worksBelow(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`) && !isDead(pid);
  } catch {
    return false;
  }
}

/** It has ended, and its parent has not noticed yet. */
function isDead(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** kill -9; one that has ended meanwhile is fine. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
