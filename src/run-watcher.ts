/**
 * `switchyard watcher run`: reads the box's files, then runs the launcher, which runs the agent as a process of its own
 * (this same command with `--agent`), so that another release of the agent can take its place.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { systemClock } from './adapters/clock.ts';
import { FolderInUseError } from './adapters/processes/folder-lock.ts';
import { InvalidKeyError, readPublicKey } from './artifact/signing.ts';
import { readBoxFiles } from './cli/commands/watcher-files.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { WatcherFlags } from './cli/local-commands.ts';
import type { Context } from './cli/shell.ts';
import { makeFolder } from './data-folder.ts';
import type { WatcherSettings } from './model/watcher.ts';
import { serveWatcher } from './serve-watcher.ts';
import { createLog } from './telemetry/log.ts';
import { WatcherStateError } from './watcher/state.ts';
import { PROVEN, runLauncher, SLOT_VARIABLE, UPGRADE_EXIT_CODE } from './watcher/upgrade/launcher.ts';
import { Slots } from './watcher/upgrade/slots.ts';

export interface WatcherRun {
  readonly context: Context;
  readonly flags: WatcherFlags;
  /** Of Switchyard. */
  readonly release: string;
}

/** Throws CliError where the files are wrong or the folder cannot be used. */
export async function runWatcher({ context, flags, release }: WatcherRun): Promise<ExitCode> {
  const { settings, policy } = await readBoxFiles(flags.config);
  const publicKeys = readKeys(settings);
  const log = createLog({ level: flags.logLevel });
  const signal = untilStopped(flags.agent === true);
  try {
    if (flags.agent !== true) {
      makeFolder(settings.dataFolder);
      await runLauncher({
        slots: await Slots.open(settings.dataFolder),
        installed: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
        arguments: [
          'watcher',
          'run',
          '--agent',
          '--config',
          resolve(flags.config),
          '--log-level',
          flags.logLevel,
        ],
        proveWithin: flags.proveWithin,
        clock: systemClock,
        log,
        signal,
      });
      return EXIT.ok;
    }
    const end = await serveWatcher({
      settings,
      policy,
      publicKeys,
      log,
      release,
      slot: context.shell.env[SLOT_VARIABLE] ?? 'installed',
      signal,
      onProven: tellLauncher,
    });
    // Not a code of the command line's own: it speaks to the launcher alone.
    if (end === 'Upgrade') process.exit(UPGRADE_EXIT_CODE);
    if (process.connected) process.disconnect?.();
    return EXIT.ok;
  } catch (error) {
    if (error instanceof FolderInUseError || error instanceof WatcherStateError) {
      throw new CliError(EXIT.failed, error.message);
    }
    throw error;
  }
}

function readKeys({ publicKeyFiles }: WatcherSettings): readonly ReturnType<typeof readPublicKey>[] {
  return publicKeyFiles.map((file) => {
    try {
      return readPublicKey(readFileSync(file, 'utf8'), file);
    } catch (error) {
      const { message } = error as Error;
      const text =
        error instanceof InvalidKeyError ? message : `cannot read the public key ${file}: ${message}`;
      throw new CliError(EXIT.usage, text);
    }
  });
}

/** Aborted at SIGTERM or SIGINT; the agent's also when its launcher has died, which starts it again. */
function untilStopped(isAgent: boolean): AbortSignal {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort());
  if (isAgent) {
    process.on('disconnect', () => stop.abort());
    // It may have died while we were being loaded, when nobody listened.
    if (process.send !== undefined && !process.connected) stop.abort();
  }
  return stop.signal;
}

/** A launcher that has died needs to know nothing: `untilStopped` has noticed, or will. */
function tellLauncher(): void {
  if (process.connected) process.send?.(PROVEN, undefined, undefined, () => undefined);
}
