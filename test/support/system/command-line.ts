/** Runs `switchyard` as a user does: a process of its own, its output and its exit code. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The command line of this clone. */
export const SWITCHYARD = join(import.meta.dirname, '..', '..', '..', 'bin', 'switchyard');

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command against the controller at `server`. Resolves whatever the exit code is. */
export function switchyard(server: string, args: readonly string[]): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    execFile(
      SWITCHYARD,
      args,
      { env: { ...process.env, SWITCHYARD_SERVER: server, NO_COLOR: '1' }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
        else reject(error);
      },
    );
  });
}
