/** Starts a manager on a workflow file or a Postgres in a process of its own, and keeps what it was told is done. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Milliseconds } from '../../../src/model/instant.ts';
import type { Told } from './history-checker.ts';

const PROGRAM = fileURLToPath(new URL('../programs/workflow-manager.ts', import.meta.url));

export interface ManagerArguments {
  /** The path of a workflow file, or the connection string of a Postgres. */
  readonly database: string;
  readonly name: string;
  readonly version: string;
  /** The executions that it begins, numbered; their idempotency keys are made of its name and their number. */
  readonly begins: { readonly from: number; readonly to: number };
  readonly tenants: readonly string[];
  readonly lease: Milliseconds;
}

export class ManagerProcess {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #told: Told[] = [];
  #errors = '';

  constructor(options: ManagerArguments) {
    this.#process = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stderr?.on('data', (text) => {
      this.#errors += String(text);
    });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('the process has no output');
    // A line that the kill has cut off was not told.
    createInterface(stdout).on(
      'line',
      (line) => line.endsWith('}') && this.#told.push(JSON.parse(line) as Told),
    );
    this.#ended = once(this.#process, 'close');
  }

  /** What the store has told it so far. */
  get told(): readonly Told[] {
    return this.#told;
  }

  /** Throws when it has ended by itself. */
  verifyAlive(): void {
    if (this.#process.exitCode !== null) throw new Error(`the manager ended by itself: ${this.#errors}`);
  }

  /** Kills it with SIGKILL; when this resolves, all that it printed has been read. */
  async kill(): Promise<void> {
    this.verifyAlive();
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
