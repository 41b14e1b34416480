/**
 * Changes that are asked for at the same time share transactions, and with them round trips and flushes of the log: each
 * is decided on its own and answered when it is durable. While transactions are under way, the next changes gather.
 */

import type { Change } from './changes.ts';
import type { Row } from './columns.ts';
import type { Statement } from './connection.ts';
import type { Connections, Transaction } from './connections.ts';
import { isUnavailable } from './faults.ts';
import { checkReader } from './migrate.ts';
import { reading } from './needs.ts';
import { Workspace } from './workspace.ts';
import { writesOf } from './writes.ts';

/** A change that waits, with how to answer it. */
interface Asked {
  readonly change: Change<unknown>;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Settled =
  | { readonly kind: 'done'; readonly outcome: unknown }
  | { readonly kind: 'threw'; readonly error: unknown };

const MOST_CHANGES = 200;
const MOST_CHARACTERS = 4 * 1024 * 1024;

export interface BatchesOptions {
  readonly connections: Connections;
  /** Transactions under way at a time. */
  readonly concurrency: number;
  /** What is sent behind a commit that makes something due. */
  readonly word: () => readonly Statement[];
  /** The version of the tables that this release knows. */
  readonly known: number;
}

export class Batches {
  readonly #options: BatchesOptions;
  readonly #asked: Asked[] = [];
  #running = 0;

  constructor(options: BatchesOptions) {
    this.#options = options;
  }

  /** Resolves when the change is durable. What its decision throws is thrown, and nothing of it was written. */
  make<Outcome>(change: Change<Outcome>): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      this.#asked.push({ change, resolve: (outcome) => resolve(outcome as Outcome), reject });
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

  #next(): readonly Asked[] {
    let characters = 0;
    const within = this.#asked.findIndex(({ change }, index) => {
      characters += change.weight;
      return index > 0 && (index >= MOST_CHANGES || characters > MOST_CHARACTERS);
    });
    return this.#asked.splice(0, within === -1 ? this.#asked.length : within);
  }

  async #transact(batch: readonly Asked[]): Promise<void> {
    try {
      const settled = await this.#options.connections.transact(
        'a change of executions',
        deciding(
          batch.map(({ change }) => change),
          this.#options,
        ),
      );
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

/** The transaction of several changes, decided one after the other. */
function deciding(
  changes: readonly Change<unknown>[],
  { word, known }: Pick<BatchesOptions, 'word' | 'known'>,
): Transaction<readonly Settled[]> {
  const { statements, read } = reading(changes.map(({ needs }) => needs));
  return {
    reads: statements,
    decide: (results: readonly (readonly Row[])[]) => {
      const found = read(results);
      checkReader(found.oldestReader, known);
      const workspace = new Workspace(found);
      const settled = changes.map((change): Settled => {
        try {
          return { kind: 'done', outcome: change.decide(workspace) };
        } catch (error) {
          return { kind: 'threw', error };
        }
      });
      return {
        outcome: settled,
        writes: writesOf(workspace),
        behind: workspace.isAnythingDue ? word() : [],
      };
    },
  };
}
