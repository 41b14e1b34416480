/**
 * One connection to Postgres. Statements of one call are sent together, without waiting for each other's answers. Each
 * connection has a line in the table of receipts, in which every transaction that writes leaves its number: so it can be
 * found out after a lost connection whether the last one was committed.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Row } from './columns.ts';
import { ConnectionLostError, isLost } from './faults.ts';

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface ConnectionOptions {
  readonly connectionString: string;
  readonly schema: string;
  /** What pg_stat_activity calls it. */
  readonly applicationName: string;
  /** Milliseconds that one statement may take. */
  readonly statementTimeout: number;
  /** A connection of this process that only listens has no line in the table of receipts. */
  readonly receipts: boolean;
}

const CONNECT_WITHIN_MS = 10_000;
/** How long a transaction may wait for its client: a client that stands still must not hold locks. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const LOCK_TIMEOUT_MS = 10_000;

/** Every statement of this store goes by an index; statistics of a table that just was empty must not lead elsewhere. */
const SETTINGS: Readonly<Record<string, string>> = {
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  lock_timeout: String(LOCK_TIMEOUT_MS),
};

const names = new Map<string, string>();

/** A name for a statement's text, under which each connection prepares it once. */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `switchyard_${names.size + 1}`;
  names.set(text, name);
  return name;
}

/**
 * The part of a statement that leaves the receipt of its transaction, for parameters from this number on: those of `Receipt`.
 * It touches no row where the line was closed by somebody who asked what became of it.
 */
export function leaving(first: number, answer = 'NULL'): string {
  return `UPDATE receipts SET transaction = $${first + 1}, at = $${first + 2}, answer = ${answer}
    WHERE connection = $${first} AND NOT closed RETURNING answer`;
}

/** A column that ends the transaction by a division by zero where no receipt could be left. */
export const mustBeLeft = (receipt: string): string => `1 / (SELECT count(*) FROM ${receipt}) AS is_left`;

/** Of a connection, the number of its transaction, and when. */
export type Receipt = readonly [string, number, number];

/** Makes a name safe as an identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export class Connection {
  readonly id = randomUUID();
  readonly #client: pg.Client;
  #transaction = 0;
  #lost: Error | undefined;

  private constructor(client: pg.Client) {
    this.#client = client;
    const lose = (error?: Error): void => {
      this.#lost ??= error ?? new ConnectionLostError('the server closed the connection');
    };
    client.on('error', lose);
    client.on('end', () => lose());
  }

  /** Connects. Rejects with what the driver or the server says. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const { connectionString, schema, applicationName, statementTimeout, receipts } = options;
    const client = new pg.Client({
      connectionString,
      application_name: applicationName,
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      keepAlive: true,
      pipeline: true,
      // The server ends the statement; this is for a network that swallows the answer.
      query_timeout: statementTimeout + CONNECT_WITHIN_MS,
    });
    const connection = new Connection(client);
    try {
      await client.connect();
      const settings = Object.entries({
        ...SETTINGS,
        search_path: identifier(schema),
        statement_timeout: String(statementTimeout),
      });
      await connection.send([
        {
          text: 'SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)',
          values: [settings.map(([name]) => name), settings.map(([, value]) => value)],
        },
        ...(receipts ? [connection.#opening()] : []),
      ]);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  get isUsable(): boolean {
    return this.#lost === undefined;
  }

  /** The number that the next transaction's receipt has. */
  get nextTransaction(): number {
    return this.#transaction + 1;
  }

  /**
   * Sends all statements at once and resolves with the rows of each. When one fails, those behind it in a transaction fail
   * too; the first error is thrown when all are answered.
   */
  async send(statements: readonly Statement[]): Promise<readonly (readonly Row[])[]> {
    if (this.#lost !== undefined) throw this.#lost;
    const answers = await Promise.allSettled(
      statements.map(({ text, values }) =>
        values === undefined
          ? this.#client.query<Row>(text)
          : this.#client.query<Row>({ name: nameOf(text), text, values: [...values] }),
      ),
    );
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure?.status === 'rejected') {
      if (isLost(failure.reason)) this.destroy();
      throw failure.reason;
    }
    return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.rows : []));
  }

  /** Commits a transaction that was begun: sends its writes, the receipt, the end and what comes behind it in one go. */
  async commit(writes: readonly Statement[], behind: readonly Statement[]): Promise<void> {
    const receipt = {
      text: `WITH left_receipt AS (${leaving(1)}) SELECT ${mustBeLeft('left_receipt')}`,
      values: [...this.#receipt()],
    };
    await this.#commit([...writes, receipt], behind);
  }

  /**
   * A whole transaction in one go: locks, and a statement that sees what they waited for, leaves the receipt and answers one
   * row. What comes behind it as in `commit`.
   */
  async commitAtOnce(
    locks: readonly Statement[],
    statement: (receipt: Receipt) => Statement,
    behind: readonly Statement[],
  ): Promise<Row> {
    const results = await this.#commit([{ text: 'BEGIN' }, ...locks, statement(this.#receipt())], behind);
    return results[locks.length + 1]?.[0] ?? {};
  }

  async #commit(
    statements: readonly Statement[],
    behind: readonly Statement[],
  ): Promise<readonly (readonly Row[])[]> {
    const committed = this.send([...statements, { text: 'COMMIT' }]);
    // A transaction of its own: what becomes of it says nothing about ours.
    this.send(behind).catch(() => undefined);
    const results = await committed;
    this.#transaction += 1;
    return results;
  }

  #receipt(): Receipt {
    return [this.id, this.nextTransaction, Date.now()];
  }

  #opening(): Statement {
    return {
      text: 'INSERT INTO receipts (connection, transaction, closed, at) VALUES ($1, 0, false, $2)',
      values: [this.id, Date.now()],
    };
  }

  onNotification(listener: (payload: string) => void): void {
    this.#client.on('notification', ({ payload = '' }) => listener(payload));
  }

  onEnd(listener: () => void): void {
    this.#client.once('end', listener);
  }

  /** Breaks it off without waiting. */
  destroy(): void {
    this.#lost ??= new ConnectionLostError('the connection was broken off');
    this.#client.end().catch(() => undefined);
    this.#client.connection.stream.destroy();
  }

  /** Says goodbye to the server. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    await this.send([{ text: 'DELETE FROM receipts WHERE connection = $1', values: [this.id] }]).catch(
      () => undefined,
    );
    await this.#client.end().catch(() => undefined);
  }
}
