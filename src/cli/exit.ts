/** How a command ends: the exit codes that scripts may rely on (docs/cli.md), and the error that carries one. */

export const EXIT = {
  ok: 0,
  /** Refused, failed, or (status) degraded. */
  failed: 1,
  /** Wrong usage or bad input, or (status) paused. */
  usage: 2,
  timeout: 3,
  /** Committed, but not every connected proxy has it. */
  notYetEverywhere: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with a message for people. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;
  /** Lines below the message: what was found, what to do. */
  readonly hints: readonly string[];
  constructor(exitCode: ExitCode, message: string, hints: readonly string[] = []) {
    super(message);
    this.exitCode = exitCode;
    this.hints = hints;
  }
}
