/**
 * The main process of an instance: a record and a port enter, a process of its own session leaves, with a promise of
 * its end. It writes to its log file and holds nothing of ours, so it lives on when we die; then the next controller
 * takes it up by its identity and looks at it again and again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import { hasEnded, identify, type ProcessIdentity } from './identity.ts';
import { INSTANCE_VARIABLE } from './proc.ts';
import type { InstanceRecord } from './record.ts';

/** How a process ended. `Unseen`: it was not our child, so that nobody told us. */
export type ProcessEnd =
  | { readonly kind: 'Exited'; readonly code: number }
  | { readonly kind: 'Killed'; readonly signal: string }
  | { readonly kind: 'Unseen' };

export interface MainProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when it has ended; stays pending when nobody looks any more. */
  readonly ended: Promise<ProcessEnd>;
}

/** The command could not be started; nothing runs. */
class LaunchError extends Error {
  override readonly name = 'LaunchError';
}

/** Variables that a process gets from ours; everything else must be in the spec, so that a restart elsewhere is the same. */
const INHERITED = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
];
/** Time between two looks at a process that is not our child. */
const LOOK_INTERVAL: Milliseconds = 200;

/** Replaces `${version}`, `${port}` and `${instance}` in each part of a command. */
export function fillCommand(
  command: readonly string[],
  values: { version: string; port: number; instance: string },
): string[] {
  const byName: Readonly<Record<string, string>> = { ...values, port: String(values.port) };
  return command.map((part) =>
    part.replace(/\$\{(version|port|instance)\}/g, (whole, name: string) => byName[name] ?? whole),
  );
}

/** The environment of an instance's process. */
export function environmentOf(
  record: InstanceRecord,
  ours: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) =>
    ours[name] === undefined ? [] : [[name, ours[name]] as const],
  );
  return { ...Object.fromEntries(inherited), ...record.spec.environment, [INSTANCE_VARIABLE]: record.id };
}

/** Starts the main process; its output goes to `log`, an open file. Throws LaunchError. */
export async function launch(record: InstanceRecord, log: number): Promise<MainProcess> {
  const { spec, version, port, id } = record;
  const [program = '', ...parts] = fillCommand(spec.command, { version, port, instance: id });
  if (spec.workingDirectory !== undefined) expectFolder(spec.workingDirectory);
  const child = spawnDetached({ program, parts, record, log });
  // Read before anything else can run: until the child is collected its id is surely its own.
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  const ended = endOf(child);
  if (child.pid === undefined)
    throw new LaunchError(`cannot start ${JSON.stringify(program)}: ${await failureOf(child)}`);
  child.unref();
  return { identity: identity ?? alreadyEnded(child.pid), ended };
}

/** Stands for a process that ended before it could be looked at: no living process has this start time. */
function alreadyEnded(pid: number): ProcessIdentity {
  return { pid, startTime: 0, bootId: 'none' };
}

/** Takes up a process that another controller started. */
export function takeUp(identity: ProcessIdentity, watch: { clock: Clock; signal: AbortSignal }): MainProcess {
  return { identity, ended: lookUntilEnded(identity, watch) };
}

function spawnDetached(start: {
  program: string;
  parts: string[];
  record: InstanceRecord;
  log: number;
}): ChildProcess {
  const { program, parts, record, log } = start;
  try {
    return spawn(program, parts, {
      ...(record.spec.workingDirectory === undefined ? {} : { cwd: record.spec.workingDirectory }),
      env: environmentOf(record, process.env),
      detached: true,
      stdio: ['ignore', log, log],
    });
  } catch (error) {
    throw new LaunchError(`cannot start ${JSON.stringify(program)}: ${(error as Error).message}`);
  }
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? { kind: 'Exited', code: code ?? 0 } : { kind: 'Killed', signal });
    });
    child.on('error', () => undefined);
  });
}

function failureOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.once('error', (error) => resolve(error.message)));
}

async function lookUntilEnded(
  identity: ProcessIdentity,
  watch: { clock: Clock; signal: AbortSignal },
): Promise<ProcessEnd> {
  while (!hasEnded(identity)) {
    try {
      await watch.clock.sleep(LOOK_INTERVAL, watch.signal);
    } catch {
      return new Promise(() => undefined);
    }
  }
  return { kind: 'Unseen' };
}

function expectFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true)
    throw new LaunchError(`workingDirectory ${JSON.stringify(folder)} must be a folder that exists`);
}
