/**
 * The command line's entry: checks the Node release, wires what a command needs, and sets the exit code. The
 * controller and the adapters are loaded only by the commands that need them.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { confirm } from './cli/confirm.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { LocalCommands, RestoreFlags } from './cli/local-commands.ts';
import { defaultDataDir } from './cli/paths.ts';
import { runCommandLine } from './cli/program.ts';
import { type Context, print } from './cli/shell.ts';

const OLDEST_NODE = 24;

const local: LocalCommands = {
  controller: async (context, flags) =>
    flags.kubernetes === true
      ? (await import('./serve-kubernetes.ts')).serveOnKubernetes({ context, flags, version: version() })
      : (await import('./serve.ts')).serve({ context, flags, version: version() }),
  watcher: async (context, flags) =>
    (await import('./run-watcher.ts')).runWatcher({ context, flags, release: version() }),
  restore,
  openTunnel: async (cluster) => (await import('./tunnel.ts')).openTunnel(cluster),
  adopt: async (context, wish, flags) => (await import('./run-adopt.ts')).runAdopt(context, wish, flags),
  uninstall: async (context, flags) => (await import('./run-uninstall.ts')).runUninstall(context, flags),
};

async function restore(context: Context, backup: string, flags: RestoreFlags): Promise<ExitCode> {
  const [{ restoreStore }, { StoreRefusedError }, { systemClock }, { stateFile }] = await Promise.all([
    import('./adapters/sqlite/restore.ts'),
    import('./adapters/sqlite/errors.ts'),
    import('./adapters/clock.ts'),
    import('./data-folder.ts'),
  ]);
  const file = stateFile(flags.dataDir ?? defaultDataDir(context.shell.env));
  await confirm(context, { question: `Replace ${file} by ${backup}?`, yes: flags.yes === true });
  try {
    const { kept } = restoreStore({ file, backup: resolve(backup), now: systemClock.now() });
    print(context, `restored ${file}${kept === undefined ? '' : `; what was there is ${kept} now`}`);
    return EXIT.ok;
  } catch (error) {
    if (error instanceof StoreRefusedError) throw new CliError(EXIT.failed, error.message);
    throw error;
  }
}

/** Of Switchyard; package.json is beside src/ and beside dist/. */
function version(): string {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function main(): Promise<void> {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    process.stderr.write(
      `error: Switchyard needs Node ${OLDEST_NODE} or newer, this is ${process.version}\n`,
    );
    process.exitCode = EXIT.failed;
    return;
  }
  process.exitCode = await runCommandLine({
    arguments: process.argv.slice(2),
    shell: process,
    local,
    version: version(),
  });
}

// A reader that goes away (`switchyard get events | head`) ends the command; it is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
await main();
