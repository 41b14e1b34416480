/** Runs the command line as a process, with its output piped or on a terminal. */
import { spawn, spawnSync } from 'node:child_process';

/** How a command ended and what it said. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly finished: Promise<Finished>;
  /** All that was written to standard output so far. */
  readonly output: () => string;
  /** Sends text to standard input. */
  type(text: string): void;
  stop(signal: NodeJS.Signals): void;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Starts `switchyard` with piped streams. */
export function startCli(args: readonly string[], options: CliOptions = {}): Running {
  return start('bin/switchyard', args, options);
}

/** Runs `switchyard` to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return startCli(args, options).finished;
}

/** Why terminals cannot be tested here, or undefined where they can. */
export function terminalLack(): string | undefined {
  return spawnSync('script', ['--version']).error === undefined
    ? undefined
    : 'no program `script` on PATH; run: apt-get install bsdutils';
}

/** Starts `switchyard` on a terminal of 80 columns; its output and its errors come as one text. */
export function startOnTerminal(args: readonly string[], options: CliOptions = {}): Running {
  const command = ['bin/switchyard', ...args]
    .map((part) => `'${part.replaceAll("'", String.raw`'\''`)}'`)
    .join(' ');
  const env = { ...options.env, TERM: 'xterm', SHELL: '/bin/sh' };
  return start('script', ['-qefc', `stty cols 80 rows 24; exec ${command}`, '/dev/null'], {
    ...options,
    env,
  });
}

function start(program: string, args: readonly string[], { env = {}, input }: CliOptions): Running {
  const { NO_COLOR: _, SWITCHYARD_SERVER: __, ...inherited } = process.env;
  const child = spawn(program, args, { env: { ...inherited, USER: 'ada', ...env }, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === null) reject(new Error(`switchyard ${args.join(' ')} was ended by ${signal}: ${stderr}`));
      else resolve({ code, stdout, stderr });
    });
  });
  return {
    finished,
    output: () => stdout,
    type: (text) => child.stdin.write(text),
    stop: (signal) => child.kill(signal),
  };
}
