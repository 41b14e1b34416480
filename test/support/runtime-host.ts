/** Starts test/support/programs/runtime-host.ts, reads what it says, and kills it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Instance } from '../../src/model/instance.ts';
import type { HostOrder } from './programs/runtime-host.ts';

const PROGRAM = fileURLToPath(new URL('programs/runtime-host.ts', import.meta.url));

export interface RuntimeHost {
  /** What it said last. */
  instances(): readonly Instance[];
  /** Resolves when what it says satisfies `wanted`; rejects when it ends first. */
  until(wanted: (instances: readonly Instance[]) => boolean): Promise<void>;
  /** Sends the signal and resolves when the process is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export function startRuntimeHost(order: HostOrder): RuntimeHost {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let instances: readonly Instance[] = [];
  const waiting = new Set<() => void>();
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      instances = JSON.parse(line) as Instance[];
      for (const look of waiting) look();
    });
  }
  return {
    instances: () => instances,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!wanted(instances)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void ended.then(() => reject(new Error('the host of the runtime ended')));
        look();
      }),
    end: async (signal) => {
      child.kill(signal);
      await ended;
    },
  };
}
