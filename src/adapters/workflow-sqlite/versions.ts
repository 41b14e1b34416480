/** Versions: fences, counts, and which version continues the work of which. */
import type { Instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { VersionWork } from '../../model/workflow.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import type { Scope } from './scope.ts';

export function fenceAndCount(scope: Scope, version: VersionName): VersionWork {
  scope.sql.run('INSERT OR IGNORE INTO fence (version, since) VALUES (?, ?)', version, scope.now);
  return count(scope, version);
}

export function lift({ sql }: Scope, version: VersionName): void {
  sql.run('DELETE FROM fence WHERE version = ?', version);
}

export function fencedSince({ sql }: Scope, version: VersionName): Instant | undefined {
  return sql.row('SELECT since FROM fence WHERE version = ?', version)?.['since'] as Instant | undefined;
}

export function count(scope: Scope, version: VersionName): VersionWork {
  const { sql, now } = scope;
  const since = fencedSince(scope, version);
  const counted = (what: string): number =>
    Number(sql.row(`SELECT count(*) AS number FROM ${what}`, version)?.['number']);
  return {
    version,
    asOf: now,
    ...(since !== undefined && { fencedSince: since }),
    executions: counted("execution WHERE version = ? AND state = 'Running'"),
    events: queueOf(scope, 'event', version),
    tasks: queueOf(scope, 'task', version),
    deadLetters: counted('event WHERE version = ? AND dead_at IS NOT NULL'),
  };
}

function queueOf({ sql, now }: Scope, table: 'event' | 'task', version: VersionName): VersionWork['events'] {
  const ready = sql.row(`SELECT count(*) AS number FROM ${table} WHERE ready = 1 AND version = ?`, version);
  const waiting = sql.row(
    `SELECT count(*) FILTER (WHERE wake_at <= ?1) AS due,
      count(*) FILTER (WHERE wake_at > ?1 AND leased = 1) AS leased,
      count(*) FILTER (WHERE wake_at > ?1 AND leased = 0) AS delayed
      FROM ${table} WHERE version = ?2 AND wake_at IS NOT NULL`,
    now,
    version,
  );
  return {
    queued: Number(ready?.['number']) + Number(waiting?.['due']),
    leased: Number(waiting?.['leased']),
    delayed: Number(waiting?.['delayed']),
  };
}

export function declareContinuation(
  { sql }: Scope,
  { version, continues }: Parameters<WorkflowStore['declareContinuation']>[0],
): void {
  for (const continued of continues) {
    sql.run('INSERT OR IGNORE INTO continuation (version, continues) VALUES (?, ?)', version, continued);
  }
}

export function compatibleVersions({ sql }: Scope, version: VersionName): readonly VersionName[] {
  const others = sql.rows(
    'SELECT continues FROM continuation WHERE version = ?1 AND continues <> ?1 ORDER BY continues',
    version,
  );
  return [version, ...others.map(({ continues }) => continues as VersionName)];
}
