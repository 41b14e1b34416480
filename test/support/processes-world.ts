/**
 * A world for tests of the processes runtime: a temp folder, free ports, specs that run test/support/programs/
 * instance.ts, and a look at the machine's processes that does not use the code under test.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { ProcessesRuntime } from '../../src/adapters/processes/runtime.ts';
import type { ProcessesRuntimeSpec } from '../../src/model/spec.ts';

export const PROGRAM = fileURLToPath(new URL('programs/instance.ts', import.meta.url));

export interface ProcessesWorld {
  readonly folder: string;
  readonly stateFolder: string;
  readonly ports: { readonly from: number; readonly to: number };
  /** A spec of instances that run the test program with these flags; `changes` replace other fields. */
  spec(flags?: readonly string[], changes?: Partial<ProcessesRuntimeSpec>): ProcessesRuntimeSpec;
  open(): Promise<ProcessesRuntime>;
  /** Lines that started instances wrote, in their order. */
  diary(): Promise<readonly { readonly instance: string; readonly pid: number }[]>;
  /** Process ids of everything alive that this world's runtimes started, by instance. */
  alive(): ReadonlyMap<string, readonly number[]>;
  /** Stops everything, through a new runtime, and removes the folder. */
  dispose(): Promise<void>;
}

export async function createProcessesWorld(portCount = 20): Promise<ProcessesWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-processes-'));
  const stateFolder = join(folder, 'state');
  const ports = await freeRange(portCount);
  const diary = join(folder, 'diary');
  const open = (): Promise<ProcessesRuntime> => ProcessesRuntime.open({ clock: systemClock, stateFolder });
  return {
    folder,
    stateFolder,
    ports,
    open,
    spec: (flags = [], changes = {}) => ({
      kind: 'processes',
      command: [
        process.execPath,
        PROGRAM,
        '--port',
        '${port}',
        '--instance',
        '${instance}',
        '--diary',
        diary,
        ...flags,
      ],
      environment: { WORLD: folder },
      instances: 1,
      ports,
      readiness: { kind: 'http', path: '/healthz', interval: 50, timeout: 2000, failureThreshold: 2 },
      stopGrace: 5000,
      restartBackoff: { initial: 50, max: 400 },
      ...changes,
    }),
    diary: async () => {
      const text = await readFile(diary, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => ({ instance: line.split(' ')[0] ?? '', pid: Number(line.split(' ')[1]) }));
    },
    alive: () => aliveOf(folder),
    dispose: async () => {
      const runtime = await open();
      for (const service of runtime.services()) await runtime.forget(service);
      await vi.waitFor(() => expect(runtime.services()).toEqual([]), { timeout: 20_000, interval: 20 });
      await runtime.close();
      expect(aliveOf(folder)).toEqual(new Map());
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Processes whose environment holds WORLD=folder, by the instance that they are. */
export function aliveOf(folder: string): Map<string, number[]> {
  const alive = new Map<string, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const variables = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      if (!variables.includes(`WORLD=${folder}`) || /\) [ZX] /.test(stat)) continue;
      const id =
        variables.find((variable) => variable.startsWith('SWITCHYARD_INSTANCE='))?.split('=')[1] ?? '?';
      alive.set(id, [...(alive.get(id) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  return alive;
}

/**
 * Whether a process has ended with all its threads. Only then are its sockets closed: the memory of a process that was
 * killed goes first, and the first thread may end before the others.
 */
export function hasEnded(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.length === 1 && /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/** Sends a signal to a process that a test started. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  execFileSync('kill', [`-${signal.slice(3)}`, String(pid)]);
}

/** A run of ports below the range that the kernel gives to connections, all free now. */
async function freeRange(count: number): Promise<{ from: number; to: number }> {
  for (;;) {
    const from = 20_000 + count * Math.floor((Math.random() * 10_000) / count);
    const ports = Array.from({ length: count }, (_, index) => from + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return { from, to: from + count - 1 };
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
