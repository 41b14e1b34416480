/** Runs the command line inside the test's own process, which is quick; its streams are pipes, never a terminal. */
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { LocalCommands } from '../../../src/cli/local-commands.ts';
import { runCommandLine } from '../../../src/cli/program.ts';
import type { Finished } from './cli.ts';

export interface HereOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

const wired = (): never => {
  throw new Error('this command is wired by main; run it as a process');
};
const local: LocalCommands = {
  controller: async () => wired(),
  watcher: async () => wired(),
  restore: async () => wired(),
  openTunnel: async () => wired(),
  adopt: async () => wired(),
  uninstall: async () => wired(),
};

/** Runs one command to its end. */
export async function runHere(args: readonly string[], options: HereOptions = {}): Promise<Finished> {
  const [stdout, stderr, stdin] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(options.input ?? '');
  const env = { USER: 'ada', ...options.env };
  const shell = { stdout, stderr, stdin, env } as never;
  const said = Promise.all([text(stdout), text(stderr)]);
  const code = await runCommandLine({ arguments: args, shell, local, version: '0.0.1-test' });
  stdout.end();
  stderr.end();
  const [out, err] = await said;
  return { code, stdout: out, stderr: err };
}
