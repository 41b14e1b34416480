/** What is only read. */
import { type Instant, instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { DelegateId, Execution, ExecutionId, HistoryEntry, Task } from '../../model/workflow.ts';
import type { DeadLetter, ExecutionQuery } from '../../ports/workflow-store.ts';
import { isId, numberIn, type Row, textIn } from './columns.ts';
import type { Connections } from './connections.ts';
import { NOW } from './needs.ts';
import {
  EXECUTION_COLUMNS,
  eventOf,
  eventRecord,
  executionOf,
  executionRecord,
  historyEntryOf,
  TASK_COLUMNS,
  taskOf,
  taskRecord,
} from './records.ts';

export class Queries {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async now(): Promise<number> {
    const [row = {}] = await this.#rows(`SELECT ${NOW} AS now`, []);
    return numberIn(row, 'now');
  }

  async execution(id: ExecutionId): Promise<Execution | undefined> {
    if (!isId(id)) return undefined;
    const [row] = await this.#rows(`SELECT ${EXECUTION_COLUMNS} FROM executions x WHERE x.id = $1`, [id]);
    return row && executionOf(executionRecord(row));
  }

  async executions(query: ExecutionQuery): Promise<readonly Execution[]> {
    const { tenant, version, state, before, limit } = query;
    if (before !== undefined && !isId(before)) return [];
    const conditions: string[] = [];
    const values: unknown[] = [limit];
    const where = (condition: string, value: unknown): void => {
      if (value === undefined) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    where('x.tenant =', tenant);
    where('x.version =', version);
    where('x.state =', state);
    where('x.id <', before);
    const condition = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const rows = await this.#rows(
      `SELECT ${EXECUTION_COLUMNS} FROM executions x ${condition} ORDER BY x.id DESC LIMIT $1`,
      values,
    );
    return rows.map((row) => executionOf(executionRecord(row)));
  }

  async oldestOpen(version: VersionName, limit: number): Promise<readonly Execution[]> {
    const rows = await this.#rows(
      `SELECT ${EXECUTION_COLUMNS} FROM (
        SELECT execution FROM open_executions WHERE version = $1 ORDER BY execution LIMIT $2) o
      JOIN executions x ON x.id = o.execution ORDER BY x.id`,
      [version, limit],
    );
    return rows.map((row) => executionOf(executionRecord(row)));
  }

  async history(id: ExecutionId): Promise<readonly HistoryEntry[]> {
    if (!isId(id)) return [];
    const rows = await this.#rows('SELECT * FROM history WHERE execution = $1 ORDER BY sequence', [id]);
    return rows.map(historyEntryOf);
  }

  async openTasks(
    id: ExecutionId,
  ): Promise<readonly { readonly task: Task; readonly delegate?: DelegateId }[]> {
    if (!isId(id)) return [];
    const rows = await this.#rows(
      `SELECT ${TASK_COLUMNS} FROM tasks t WHERE t.execution = $1 ORDER BY t.id`,
      [id],
    );
    return rows.map(taskRecord).map((record) => ({
      task: taskOf(record),
      ...(record.state === 'leased' && record.delegate !== undefined ? { delegate: record.delegate } : {}),
    }));
  }

  async deadLetters({
    version,
    limit,
  }: {
    readonly version?: VersionName;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]> {
    const rows =
      version === undefined
        ? await this.#rows('SELECT * FROM dead_letters ORDER BY id LIMIT $1', [limit])
        : await this.#rows('SELECT * FROM dead_letters WHERE version = $2 ORDER BY id LIMIT $1', [
            limit,
            version,
          ]);
    return rows.map(deadLetterOf);
  }

  async fencedSince(version: VersionName): Promise<Instant | undefined> {
    const [row] = await this.#rows('SELECT since FROM fences WHERE version = $1', [version]);
    return row && instant(numberIn(row, 'since'));
  }

  async compatibleVersions(version: VersionName): Promise<readonly VersionName[]> {
    const rows = await this.#rows(
      'SELECT continues FROM continuations WHERE version = $1 ORDER BY continues',
      [version],
    );
    return [version, ...rows.map((row) => textIn(row, 'continues') as VersionName)];
  }

  async #rows(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const [rows = []] = await this.#connections.run('a query', [{ text, values }]);
    return rows;
  }
}

function deadLetterOf(row: Row): DeadLetter {
  const event = eventOf(eventRecord({ ...row, state: 'queued', lease_until: 0 }));
  return { event, at: instant(numberIn(row, 'at')), error: textIn(row, 'error') };
}
