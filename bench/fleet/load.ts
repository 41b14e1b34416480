/** The load of the benchmark of fleets: thousands of watchers or of delegates, in a process written in Go. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Times at which all had what was waited for: milliseconds after `since`. */
export interface Arrivals {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly last: number;
  /** Since the load began: how often anybody was asked to come back, and attempts that failed. */
  readonly comeBacks: number;
  readonly failures: number;
  /** Of the newest message that told of a version. */
  readonly bytes: number;
}

/** Who comes; all of it over `spreadMs`. */
export interface Crowd {
  readonly role: 'watcher' | 'delegate';
  readonly target: string;
  readonly service: string;
  /** That delegates pin. */
  readonly version: string;
  readonly count: number;
  readonly tenants: number;
  readonly spreadMs: number;
}

const WITHIN_MS = 300_000;

export class Load {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  /** Starts the program that `path` names. */
  constructor(path: string) {
    this.#process = spawn(path, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#reader = createInterface({ input: this.#process.stdout });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** They begin to come. */
  async open(crowd: Crowd): Promise<void> {
    await this.#order({ do: 'open', ...crowd });
  }

  /** Resolves when all are registered, at least so many of them after a moment of the wall clock. */
  registered(asked: { readonly since: number; readonly atLeast: number }): Promise<Arrivals> {
    return this.#order({ do: 'registered', ...asked, withinMs: WITHIN_MS });
  }

  /** Resolves when all watchers were told of a version. */
  informed(asked: { readonly since: number; readonly version: string }): Promise<Arrivals> {
    return this.#order({ do: 'informed', ...asked, withinMs: WITHIN_MS });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    if (this.#process.exitCode === null) {
      this.#process.kill();
      await ended;
    }
    this.#reader.close();
  }

  async #order(order: object): Promise<Arrivals> {
    this.#process.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the load has ended; see its words above');
    const { error, ...arrivals } = JSON.parse(value) as Arrivals & { error?: string };
    if (error !== undefined) throw new Error(`the load says: ${error}`);
    return arrivals;
  }
}
