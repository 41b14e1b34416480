/**
 * What is asked for at the same time shares transactions, and with them round trips and flushes of the log: each request is
 * answered on its own, when it is durable. While transactions are under way, the next requests gather.
 */
import { isUnavailable } from './faults.ts';

/** What became of one request in a transaction that was committed. */
export type Settled<Outcome> =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'threw'; readonly error: unknown };

export interface BatchesOptions<Request, Outcome> {
  /** Transactions under way at a time. */
  readonly concurrency: number;
  /** Requests in a transaction. */
  readonly most: number;
  /** Roughly what a request writes, in characters: a transaction must not grow without bounds. */
  readonly weightOf: (request: Request) => number;
  /** Runs one transaction; rejects when nothing of it is done. */
  readonly transact: (requests: readonly Request[]) => Promise<readonly Settled<Outcome>[]>;
}

interface Asked<Request, Outcome> {
  readonly request: Request;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

const MOST_CHARACTERS = 4 * 1024 * 1024;

export class Batches<Request, Outcome> {
  readonly #options: BatchesOptions<Request, Outcome>;
  readonly #asked: Asked<Request, Outcome>[] = [];
  #running = 0;

  constructor(options: BatchesOptions<Request, Outcome>) {
    this.#options = options;
  }

  /** Resolves when it is durable. What its decision throws is thrown, and nothing of it was written. */
  make(request: Request): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      this.#asked.push({ request, resolve, reject });
      // Those that are asked for in the same turn go together.
      queueMicrotask(() => this.#pump());
    });
  }

  #pump(): void {
    while (this.#running < this.#options.concurrency && this.#asked.length > 0) {
      const batch = this.#next();
      this.#running += 1;
      void this.#transact(batch).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }

  #next(): readonly Asked<Request, Outcome>[] {
    const { most, weightOf } = this.#options;
    let characters = 0;
    const within = this.#asked.findIndex(({ request }, index) => {
      characters += weightOf(request);
      return index > 0 && (index >= most || characters > MOST_CHARACTERS);
    });
    return this.#asked.splice(0, within === -1 ? this.#asked.length : within);
  }

  async #transact(batch: readonly Asked<Request, Outcome>[]): Promise<void> {
    try {
      const settled = await this.#options.transact(batch.map(({ request }) => request));
      batch.forEach(({ resolve, reject }, index) => {
        const answer = settled[index];
        if (answer?.kind === 'done') resolve(answer.outcome);
        else reject(answer?.error);
      });
    } catch (error) {
      if (batch.length === 1 || isUnavailable(error)) for (const { reject } of batch) reject(error);
      // One that the server refuses must not take the others with it.
      else for (const asked of batch) await this.#transact([asked]);
    }
  }
}
