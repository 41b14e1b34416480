/**
 * The connections of one client of the store: a bounded number, opened when they are needed and again when they were lost.
 * Calls are tried again while the server is away, for as long as the patience lasts; a transaction whose end was not
 * answered is looked up before it is tried again, so that nothing is done twice.
 */
import type { Milliseconds } from '../../model/instant.ts';
import { optionalText, type Row, textIn } from './columns.ts';
import { Connection, type ConnectionOptions, type Receipt, type Statement } from './connection.ts';
import { isLost, isReceiptRefused, WorkflowStoreError } from './faults.ts';
import { OwnError, patiently } from './patience.ts';

export interface ConnectionsOptions extends ConnectionOptions {
  readonly size: number;
  /** How long a call waits for a server that is away. */
  readonly patience: Milliseconds;
}

/** A transaction: reads that lock, a decision, writes. The decision runs again when the transaction has to. */
export interface Transaction<Outcome> {
  readonly reads: readonly Statement[];
  /** Further reads, which are known only when the first are answered; `decide` gets the results of these then. */
  furtherReads?(results: readonly (readonly Row[])[]): readonly Statement[];
  decide(results: readonly (readonly Row[])[]): {
    readonly outcome: Outcome;
    readonly writes: readonly Statement[];
    /** Sent behind the commit, as a transaction that may be lost. */
    readonly behind?: readonly Statement[];
  };
}

/** A transaction whose decision is the server's: one statement in one round trip, answered by a text. */
export interface Shot {
  readonly locks: readonly Statement[];
  /** Leaves the receipt with the answer, and gives the answer as column `answer`. */
  readonly statement: (receipt: Receipt) => Statement;
  /** Sent behind the commit, as a transaction that may be lost. */
  readonly behind: readonly Statement[];
}

type Waiter = (slot: number) => void;

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #open: (Connection | undefined)[];
  readonly #free: number[];
  readonly #waiting: Waiter[] = [];
  readonly #closing = new AbortController();
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#open = Array.from({ length: options.size }, () => undefined);
    this.#free = Array.from({ length: options.size }, (_, index) => index);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Runs statements that change nothing or that may be run again. Each is a transaction of its own. */
  async run(what: string, statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    return this.#persist(what, () => this.#with((connection) => connection.send(statements)));
  }

  /** Runs a transaction once, whatever is lost on the way. What `decide` throws is thrown, and nothing was written. */
  async transact<Outcome>(what: string, transaction: Transaction<Outcome>): Promise<Outcome> {
    let doubt:
      | { readonly connection: string; readonly number: number; readonly outcome: Outcome }
      | undefined;
    return this.#persist(what, async () => {
      if (doubt !== undefined) {
        const { connection, number, outcome } = doubt;
        if ((await this.#receiptOf(connection)).transaction >= number) return outcome;
        doubt = undefined;
      }
      return this.#with(async (connection) => {
        const begun = [{ text: 'BEGIN' }, ...transaction.reads];
        const results = await rolledBack(connection, async () => {
          const [, ...first] = await connection.send(begun);
          return transaction.furtherReads === undefined
            ? first
            : connection.send(transaction.furtherReads(first));
        });
        const {
          outcome,
          writes,
          behind = [],
        } = await rolledBack(connection, async () => decided(transaction, results));
        if (writes.length === 0) {
          await connection.send([{ text: 'COMMIT' }]);
          return outcome;
        }
        doubt = { connection: connection.id, number: connection.nextTransaction, outcome };
        try {
          await connection.commit(writes, behind);
        } catch (error) {
          // The server says that it did not do it.
          if (!isLost(error)) doubt = undefined;
          if (isReceiptRefused(error)) connection.destroy();
          throw error;
        }
        return outcome;
      });
    });
  }

  /** Runs a transaction of one statement once, and resolves with its answer, whatever is lost on the way. */
  async shoot(what: string, { locks, statement, behind }: Shot): Promise<string> {
    let doubt: { readonly connection: string; readonly number: number } | undefined;
    return this.#persist(what, async () => {
      if (doubt !== undefined) {
        const { transaction, answer } = await this.#receiptOf(doubt.connection);
        if (transaction >= doubt.number) return answer;
        doubt = undefined;
      }
      return this.#with(async (connection) => {
        doubt = { connection: connection.id, number: connection.nextTransaction };
        try {
          return textIn(await connection.commitAtOnce(locks, statement, behind), 'answer');
        } catch (error) {
          // The server says that it did not do it.
          if (!isLost(error)) doubt = undefined;
          if (isReceiptRefused(error)) connection.destroy();
          throw error;
        }
      });
    });
  }

  /**
   * The receipt of the last transaction of a connection that is lost. Its line of receipts is closed first: this waits for a
   * transaction that is still under way, and one whose statements are still on their way can no longer be committed.
   */
  async #receiptOf(connection: string): Promise<{ readonly transaction: number; readonly answer: string }> {
    const text = 'UPDATE receipts SET closed = true WHERE connection = $1 RETURNING transaction, answer';
    const [rows] = await this.#with((other) => other.send([{ text, values: [connection] }]));
    const [row] = rows ?? [];
    if (row === undefined) {
      throw new WorkflowStoreError(
        'it is not known whether the last transaction was committed, because its receipt is gone; look at the executions before you do it again',
      );
    }
    return { transaction: Number(row['transaction']), answer: optionalText(row, 'answer') ?? '' };
  }

  #persist<Result>(what: string, attempt: () => Promise<Result>): Promise<Result> {
    const { patience } = this.#options;
    return patiently(what, { patience, closing: this.#closing.signal }, attempt);
  }

  async #with<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const slot = await this.#acquire();
    try {
      if (this.#closed) throw new WorkflowStoreError('the store was closed');
      const kept = this.#open[slot];
      const connection = kept?.isUsable ? kept : await Connection.open(this.#options);
      this.#open[slot] = connection;
      return await work(connection);
    } finally {
      this.#release(slot);
    }
  }

  #acquire(): Promise<number> {
    if (this.#closed) return Promise.reject(new WorkflowStoreError('the store was closed'));
    const slot = this.#free.pop();
    return slot === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(slot);
  }

  #release(slot: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }

  /** Lets calls that are under way end, and closes all connections. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const slots = await Promise.all(this.#open.map(() => this.#acquire()));
    this.#closed = true;
    this.#closing.abort();
    await Promise.all(this.#open.map(async (connection) => connection?.close()));
    for (const slot of slots) this.#release(slot);
  }
}

function decided<Outcome>(
  transaction: Transaction<Outcome>,
  results: readonly (readonly Row[])[],
): ReturnType<Transaction<Outcome>['decide']> {
  try {
    return transaction.decide(results);
  } catch (error) {
    throw new OwnError('a decision threw', { cause: error });
  }
}

/** Leaves the connection without an open transaction when the work fails. */
async function rolledBack<Result>(connection: Connection, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (connection.isUsable) await connection.send([{ text: 'ROLLBACK' }]).catch(() => connection.destroy());
    throw error;
  }
}
