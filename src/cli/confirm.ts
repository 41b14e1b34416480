/** Asks before something is lost. Without a terminal nobody can answer, so the command is refused. */
import { createInterface } from 'node:readline/promises';
import { CliError, EXIT } from './exit.ts';
import type { Context } from './shell.ts';

export interface Confirmation {
  /** What will be lost, as a question. */
  readonly question: string;
  /** --yes was given. */
  readonly yes: boolean;
}

/** Returns when the user agrees; throws CliError otherwise. */
export async function confirm({ shell }: Context, { question, yes }: Confirmation): Promise<void> {
  if (yes) return;
  if (!shell.stdin.isTTY || !shell.stderr.isTTY) {
    throw new CliError(EXIT.usage, `${question} Nobody can be asked here: say --yes.`);
  }
  // The terminal edits the line itself; an end of input (Ctrl-D) is no yes.
  const lines = createInterface({ input: shell.stdin, output: shell.stderr, terminal: false });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question(`${question} [y/N] `), ended]);
  lines.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(EXIT.failed, 'nothing was changed');
}
