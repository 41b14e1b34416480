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

/** An option whose default is parsed from the text that the help shows. */
export function defaulted<Value>(flags: string, description: string, parsed: Parsed<Value>): Option {
  const { parse, shown } = parsed;
  return new Option(flags, description).argParser(parse).default(parse(shown), shown);
}

export interface Parsed<Value> {
  readonly parse: (text: string) => Value;
  /** The default, as a user would write it. */
  readonly shown: string;
}

/** --reason, --dry-run and --wait, with the generation to compare. */
export function changeOptions(command: Command): Command {
  return command
    .option('--reason <text>', 'why, for the audit trail')
    .option('--dry-run', 'check and describe, change nothing')
    .addOption(
      defaulted('--wait <duration>', 'how long to wait until all proxies have it (0: not at all)', {
        parse: duration,
        shown: '30s',
      }),
    );
}

/** --yes, for what cannot be undone. */
export function yesOption(command: Command): Command {
  return command.option('-y, --yes', 'do not ask');
}
