/** What the declarations of commands share: running one, and the options that come again and again. */
import { type Command, Option } from 'commander';
import { duration } from '../arguments.ts';
import type { ExitCode } from '../exit.ts';
import type { Context } from '../shell.ts';

/** One run of the command line. */
export interface Session {
  /** Makes the context from the global options, runs the command, keeps its exit code. */
  run(command: (context: Context) => Promise<ExitCode>): Promise<void>;
}

/** Adds the commands of one group. */
export type AddVerbs = (program: Command, session: Session) => void;

export const DEFAULT_WAIT = '30s';

/** --reason, --dry-run and --wait, with the generation to compare. */
export function changeOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'check and describe, change nothing')
    .addOption(
      new Option('--wait <duration>', 'how long to wait until all proxies have it (0: not at all)')
        .argParser(duration)
        .default(30_000, DEFAULT_WAIT),
    );
}

/** --yes, for what cannot be undone. */
export function yesOption(command: Command): Command {
  return command.option('-y, --yes', 'do not ask');
}
