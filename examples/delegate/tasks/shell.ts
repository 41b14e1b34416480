/**
 * Tasks of kind `shell`: one command for `/bin/sh -c`, exactly as the author of the pipeline wrote it, in a session of its
 * own. Whatever it has started ends with it, with its time, or when it is cancelled.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import type { Json } from '../../../src/model/json.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import { killFamily } from './leftovers.ts';
import { KeptOutput } from './output.ts';
import { Fields, failed, type TaskRun } from './task.ts';

/** From SIGTERM to SIGKILL. */
const GRACE_MS = 5_000;
/** How long the output of a command that has ended may still come. */
const LAST_OUTPUT_MS = 1_000;
/** What a command gets of the delegate's own environment: nothing that may be secret. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'USER'];

export async function runShell(run: TaskRun): Promise<TaskOutcome> {
  const fields = new Fields(run.payload);
  const command = fields.text('command');
  const directory = normalize(fields.text('workingDirectory') || '.');
  if (directory.startsWith('..') || directory.startsWith('/')) {
    return failed(`workingDirectory must be below the folder of the task, not ${JSON.stringify(directory)}`);
  }
  const cwd = join(run.folder, directory);
  await mkdir(cwd, { recursive: true });
  const child = spawn('/bin/sh', ['-c', command], {
    cwd,
    env: { ...inherited(), ...fields.texts('env'), SWITCHYARD_INSTANCE: run.family },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child, 'spawn');
  return new ShellRun(run, child).outcome();
}

class ShellRun {
  readonly #run: TaskRun;
  readonly #child: ChildProcess;
  readonly #output: KeptOutput;
  readonly #errors: KeptOutput;
  #isLate = false;

  constructor(run: TaskRun, child: ChildProcess) {
    this.#run = run;
    this.#child = child;
    this.#output = new KeptOutput(run.onProgress);
    this.#errors = new KeptOutput(() => {});
    this.#listen(child.stdout, this.#output);
    this.#listen(child.stderr, this.#errors);
  }

  async outcome(): Promise<TaskOutcome> {
    const { timeout, signal } = this.#run;
    const stop = () => this.#stop();
    const late = timeout > 0 ? setTimeout(() => this.#endLate(), Math.min(timeout, 2 ** 31 - 1)) : undefined;
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const closed = new Promise<void>((resolve) => this.#child.once('close', () => resolve()));
    try {
      const [code, killedBy] = await ended(this.#child);
      if (this.#isLate || signal.aborted || this.#hasLeftovers()) await killFamily(this.#run.family);
      await Promise.race([closed, waited(LAST_OUTPUT_MS)]);
      return this.#judge(code, killedBy);
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', stop);
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }
  }

  #listen(stream: NodeJS.ReadableStream | null, kept: KeptOutput): void {
    stream?.on('data', (chunk: Buffer) => {
      kept.add(chunk);
      this.#run.onOutput(chunk);
    });
    stream?.on('error', () => {});
  }

  #endLate(): void {
    this.#isLate = true;
    this.#stop();
  }

  /** The whole process group; nobody else can be in it while the command lives, since it leads it. */
  #stop(): void {
    this.#signal('SIGTERM');
    setTimeout(() => this.#signal('SIGKILL'), GRACE_MS).unref();
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Whether somebody of its process group lives. A command that ended well may leave a session of its own behind. */
  #hasLeftovers(): boolean {
    try {
      return this.#child.pid !== undefined && process.kill(-this.#child.pid, 0);
    } catch {
      return false;
    }
  }

  #judge(code: number | null, killedBy: string | null): TaskOutcome {
    if (this.#isLate) return failed(`the command had not ended after ${this.#run.timeout} ms`);
    if (code === 0) return { kind: 'Succeeded', result: { exitCode: 0, ...textAndJson(this.#output.text) } };
    const how = killedBy === null ? `exited with ${code}` : `was ended by ${killedBy}`;
    const lastLine = (this.#errors.text || this.#output.text).split('\n').at(-1)?.slice(0, 200) ?? '';
    return failed(`the command ${how}${lastLine === '' ? '' : `: ${lastLine}`}`);
  }
}

function ended(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve([child.exitCode, child.signalCode]);
  }
  return once(child, 'exit') as Promise<[number | null, string | null]>;
}

function waited(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

function textAndJson(stdout: string): { stdout: string; json?: Json } {
  try {
    return { stdout, json: JSON.parse(stdout) as Json };
  } catch {
    return { stdout };
  }
}

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
