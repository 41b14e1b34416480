/**
 * A program that we started: its output goes to a file, it is stopped by its own process id only, and how it ended is
 * known. An end that nobody asked for is an error with the last lines of its output.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface ChildOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Standard output and error are appended here. */
  readonly logFile: string;
  readonly environment?: Readonly<Record<string, string>>;
}

const LINES_SHOWN = 15;

export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, with its exit code or signal. */
  readonly ended: Promise<string>;
  readonly #logFile: string;
  readonly #signal: (signal: NodeJS.Signals) => void;
  #end: string | undefined;

  private constructor(options: ChildOptions, child: ReturnType<typeof spawn>, pid: number) {
    this.name = options.name;
    this.pid = pid;
    this.#logFile = options.logFile;
    this.#signal = (signal) => void child.kill(signal);
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#end = signal ?? `code ${code}`;
        resolve(this.#end);
      });
    });
  }

  /** Starts the program. Rejects when it cannot be executed. */
  static async start(options: ChildOptions): Promise<Child> {
    const log = openSync(options.logFile, 'a');
    const child = spawn(options.command, options.arguments, {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.environment },
    });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) =>
        reject(new Error(`${options.name} cannot be started: ${error.message}`)),
      );
    });
    if (child.pid === undefined) throw new Error(`${options.name} has no process id`);
    return new Child(options, child, child.pid);
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  /** Sends a signal; nothing happens when the process has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#signal(signal);
  }

  /** SIGTERM, and SIGKILL for a process that has not ended after `graceMs`. */
  async stop(graceMs = 10_000): Promise<void> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  /** Polls until `ready` resolves to true. Rejects when the process ends first, or after `withinMs`. */
  async until(what: string, ready: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await ready().catch(() => false))) {
      if (!this.running)
        throw new Error(`${this.name} ended (${this.#end}) before ${what}:\n${this.lastLines()}`);
      if (performance.now() > deadline)
        throw new Error(`${this.name}: no ${what} in ${withinMs} ms:\n${this.lastLines()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The end of its output. */
  lastLines(): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
  }
}
