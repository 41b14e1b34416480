/** The watcher of a world as a process of its own, as `switchyard watcher run` starts it, so that tests can kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { WatcherWorld } from './watcher-world.ts';

export const MAIN = resolve('src/main.ts');

/** Writes the watcher's file of a world's box. Answers its path. */
export function writeBoxFile(world: WatcherWorld): string {
  const { settings, folder, releases } = world;
  const spec = {
    id: 'box-1',
    service: 'manager',
    tenant: 'acme',
    controller: { address: settings.controller.address },
    publicKeyFiles: ['release.pub'],
    dataFolder: settings.dataFolder,
    ports: settings.ports,
    environment: settings.environment,
  };
  const file = join(folder, 'watcher.yaml');
  writeFileSync(file, JSON.stringify({ apiVersion: 'switchyard.dev/v1alpha1', kind: 'Watcher', spec }));
  copyFileSync(releases.publicKeyFile, join(folder, 'release.pub'));
  return file;
}

export function startWatcherProcess(config: string, flags: readonly string[] = []): ChildProcess {
  const command = [MAIN, 'watcher', 'run', '--config', config, ...flags];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr?.resume();
  return child;
}

/** Sends the signal; resolves when the process is gone. */
export async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
