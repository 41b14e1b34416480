/** Events: leases and what becomes of them. claim.ts says in which order they are given out. */
import { after, type Instant } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { EventId, Worker } from '../../model/workflow.ts';
import {
  type DeadLetter,
  type EventLease,
  MAX_EVENT_ATTEMPTS,
  type WorkflowStore,
} from '../../ports/workflow-store.ts';
import { briefOf, existingRow } from './find.ts';
import { record } from './history.ts';
import { eventKey, toEvent } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';
import { fencedSince } from './versions.ts';

type Argument<Name extends keyof WorkflowStore> = Parameters<WorkflowStore[Name]>[0];

/** The event, while nobody else has had it since: also after the time of the lease. */
export function leasedEvent({ sql }: Scope, { event, token }: EventLease): Row | undefined {
  const key = eventKey(event);
  if (key === undefined) return undefined;
  return sql.row('SELECT * FROM event WHERE key = ? AND token = ? AND leased = 1', key, token);
}

export function giveBack(scope: Scope, { lease, delay, error, worker }: Argument<'giveBack'>): boolean {
  const event = leasedEvent(scope, lease);
  if (event === undefined) return false;
  if (Number(event['attempt']) >= MAX_EVENT_ATTEMPTS) {
    giveUp(scope, event, { error, worker });
    return true;
  }
  const dueAt = after(scope.now, delay);
  const isDue = dueAt <= scope.now;
  if (isDue) scope.madeDue();
  scope.sql.run(
    'UPDATE event SET leased = 0, ready = ?, wake_at = ?, error = ? WHERE key = ?',
    isDue ? 1 : 0,
    isDue ? null : dueAt,
    error,
    event['key'] ?? null,
  );
  return true;
}

export function renewEvents(scope: Scope, { leases, lease }: Argument<'renewEvents'>): readonly EventId[] {
  const until = after(scope.now, lease);
  return leases
    .filter(({ event, token }) => {
      const renewed = scope.sql.run(
        'UPDATE event SET ready = 0, wake_at = ? WHERE key = ? AND token = ? AND leased = 1',
        until,
        eventKey(event) ?? null,
        token,
      );
      return renewed === 0;
    })
    .map(({ event }) => event);
}

/** Makes a dead letter of an event. */
export function giveUp(
  scope: Scope,
  event: Row,
  { error, worker }: { readonly error: string; readonly worker: Worker },
): void {
  const execution = Number(event['execution']);
  const { revision } = briefOf(scope, execution);
  scope.sql.run(
    'UPDATE event SET leased = 0, ready = 0, wake_at = NULL, dead_at = ?, error = ? WHERE key = ?',
    scope.now,
    error,
    event['key'] ?? null,
  );
  record(scope, { execution, revision, worker }, [
    {
      kind: 'DeadLettered',
      event: Number(event['key']),
      token: Number(event['token']),
      step: String(event['kind']),
      detail: error,
    },
  ]);
}

export function deadLetters(
  scope: Scope,
  { version, limit }: { readonly version?: VersionName; readonly limit: number },
): readonly DeadLetter[] {
  const rows =
    version === undefined
      ? scope.sql.rows('SELECT * FROM event WHERE dead_at IS NOT NULL ORDER BY key LIMIT ?', limit)
      : scope.sql.rows(
          'SELECT * FROM event WHERE version = ? AND dead_at IS NOT NULL ORDER BY key LIMIT ?',
          version,
          limit,
        );
  return rows.map((row) => ({
    event: toEvent(row, briefOf(scope, Number(row['execution'])).id),
    at: row['dead_at'] as Instant,
    error: String(row['error']),
  }));
}

export function revive(scope: Scope, id: EventId): boolean {
  const key = eventKey(id);
  if (key === undefined) return false;
  const event = scope.sql.row('SELECT * FROM event WHERE key = ? AND dead_at IS NOT NULL', key);
  if (event === undefined) return false;
  const execution = existingRow(scope, Number(event['execution']));
  if (execution['ended_at'] !== null && fencedSince(scope, execution['version'] as VersionName) !== undefined)
    return false;
  scope.sql.run(
    'UPDATE event SET ready = 1, dead_at = NULL, error = NULL, attempt = 0, due_at = ? WHERE key = ?',
    scope.now,
    key,
  );
  scope.madeDue();
  return true;
}
