/**
 * What a change has to lock and to read before it can be decided, and the statements that do so. Whoever changes what
 * belongs to an execution locks its row first, in the order of ids, so that changes of one execution come one after the
 * other and nobody waits in a circle. Fences are locked before that, by advisory locks.
 */
import type { EventId, ExecutionId, TaskId } from '../../model/workflow.ts';
import type { Row } from './columns.ts';
import type { Statement } from './connection.ts';
import { EVENT_COLUMNS, EXECUTION_COLUMNS, TASK_COLUMNS } from './records.ts';

/** All absent: nothing. */
export interface Needs {
  /** Executions that it is about, beside those of the events, tasks and dead letters. */
  readonly executions?: readonly ExecutionId[];
  readonly events?: readonly EventId[];
  readonly tasks?: readonly TaskId[];
  readonly letters?: readonly EventId[];
  /** Events whose executions' other events it needs, all of them. */
  readonly eventsBeside?: readonly EventId[];
  /** Events whose executions' open tasks it needs. */
  readonly tasksBeside?: readonly EventId[];
  /** Tasks of which it needs to know which results were taken. */
  readonly finished?: readonly TaskId[];
  /** Executions and dead letters whose version must not be fenced meanwhile. */
  readonly unfenced?: { readonly executions: readonly ExecutionId[]; readonly letters: readonly EventId[] };
  /** How many ids it may use. */
  readonly newEvents?: number;
  readonly newTasks?: number;
}

/** What was read, under the locks. */
export interface Read {
  readonly now: number;
  /** The lowest version of the tables that a release must know to work with them. */
  readonly oldestReader: number;
  readonly executions: readonly Row[];
  readonly events: readonly Row[];
  readonly tasks: readonly Row[];
  readonly letters: readonly Row[];
  readonly finished: readonly Row[];
  readonly fences: readonly Row[];
  readonly eventIds: readonly string[];
  readonly taskIds: readonly string[];
}

/** The lowest version of the tables that a release must know to work with them. */
export const OLDEST_READER = '(SELECT oldest_reader FROM migrations ORDER BY version DESC LIMIT 1)';

/** The server's time in milliseconds, the same for the whole statement. */
export const NOW = '(extract(epoch FROM statement_timestamp()) * 1000)::bigint';

/** Locks of one database are shared by all its users: the first number is of this schema and what the lock is for. */
export const VERSION_LOCK = "hashtext(current_schema() || ' version')";

/** Waits for whoever fences one of these versions, in one order for all. */
export const lockingVersions = (
  versions: string,
): string => `SELECT pg_advisory_xact_lock_shared(${VERSION_LOCK}, lock) FROM (
  SELECT DISTINCT hashtext(version) AS lock FROM (${versions}) versions ORDER BY lock) locks`;

const LOCK_VERSIONS = lockingVersions(`SELECT x.version FROM executions x WHERE x.id = ANY ($1::bigint[])
  UNION ALL SELECT l.version FROM dead_letters l WHERE l.id = ANY ($2::bigint[])`);

const LOCK_EXECUTIONS = `SELECT ${EXECUTION_COLUMNS} FROM executions x WHERE x.id IN (
  SELECT unnest($1::bigint[])
  UNION SELECT e.execution FROM events e WHERE e.id = ANY ($2::bigint[])
  UNION SELECT t.execution FROM tasks t WHERE t.id = ANY ($3::bigint[])
  UNION SELECT l.execution FROM dead_letters l WHERE l.id = ANY ($4::bigint[])) ORDER BY x.id FOR UPDATE`;

const READ_EVENTS = `SELECT ${EVENT_COLUMNS} FROM events e WHERE e.id = ANY ($1::bigint[]) ORDER BY e.id FOR UPDATE`;

const READ_ALL_EVENTS = `SELECT ${EVENT_COLUMNS} FROM events e WHERE e.id IN (
  SELECT unnest($1::bigint[])
  UNION SELECT other.id FROM events other WHERE other.execution IN (
    SELECT b.execution FROM events b WHERE b.id = ANY ($2::bigint[]))) ORDER BY e.id FOR UPDATE`;

const READ_TASKS = `SELECT ${TASK_COLUMNS} FROM tasks t WHERE t.id IN (
  SELECT unnest($1::bigint[])
  UNION SELECT other.id FROM tasks other WHERE other.execution IN (
    SELECT b.execution FROM events b WHERE b.id = ANY ($2::bigint[]))) ORDER BY t.id FOR UPDATE`;

const READ_LETTERS = 'SELECT * FROM dead_letters WHERE id = ANY ($1::bigint[])';

const READ_FINISHED = 'SELECT task, token FROM finished_tasks WHERE task = ANY ($1::bigint[])';

const READ_FENCES = 'SELECT version, since FROM fences';

// After all locks: times and ids of one execution rise with its changes.
const CLOCK_AND_IDS = `SELECT ${NOW} AS now,
  ${OLDEST_READER} AS oldest_reader,
  ARRAY (SELECT nextval('event_ids') FROM generate_series(1, $1::int))::text[] AS events,
  ARRAY (SELECT nextval('task_ids') FROM generate_series(1, $2::int))::text[] AS tasks`;

type Part = Exclude<keyof Read, 'now' | 'oldestReader' | 'eventIds' | 'taskIds'> | 'clock' | 'lock';

/** The statements for all needs together, and how their results are read. */
export function reading(all: readonly Needs[]): {
  readonly statements: readonly Statement[];
  readonly read: (results: readonly (readonly Row[])[]) => Read;
} {
  const gathered = <Item>(list: (needs: Needs) => readonly Item[] | undefined): Item[] =>
    all.flatMap((needs) => list(needs) ?? []);
  const sum = (count: (needs: Needs) => number | undefined): number =>
    all.reduce((total, needs) => total + (count(needs) ?? 0), 0);
  const [executions, events, tasks, letters] = [
    gathered((needs) => needs.executions),
    gathered((needs) => needs.events),
    gathered((needs) => needs.tasks),
    gathered((needs) => needs.letters),
  ];
  const [eventsBeside, tasksBeside] = [
    gathered((needs) => needs.eventsBeside),
    gathered((needs) => needs.tasksBeside),
  ];
  const finished = gathered((needs) => needs.finished);
  const fenced = [
    gathered((needs) => needs.unfenced?.executions),
    gathered((needs) => needs.unfenced?.letters),
  ];
  const parts: [Part, Statement][] = [];
  const add = (isNeeded: boolean, part: Part, text: string, values: readonly unknown[]): void => {
    if (isNeeded) parts.push([part, { text, values }]);
  };
  const areFencesNeeded = fenced.some((list) => list.length > 0);
  add(areFencesNeeded, 'lock', LOCK_VERSIONS, fenced);
  const owned = [executions, events, tasks, letters];
  add(
    owned.some((list) => list.length > 0),
    'executions',
    LOCK_EXECUTIONS,
    owned,
  );
  if (eventsBeside.length > 0) add(true, 'events', READ_ALL_EVENTS, [events, eventsBeside]);
  else add(events.length > 0, 'events', READ_EVENTS, [events]);
  add(tasks.length + tasksBeside.length > 0, 'tasks', READ_TASKS, [tasks, tasksBeside]);
  add(letters.length > 0, 'letters', READ_LETTERS, [letters]);
  add(finished.length > 0, 'finished', READ_FINISHED, [finished]);
  add(areFencesNeeded, 'fences', READ_FENCES, []);
  add(true, 'clock', CLOCK_AND_IDS, [sum((needs) => needs.newEvents), sum((needs) => needs.newTasks)]);
  return {
    statements: parts.map(([, statement]) => statement),
    read: (results) => {
      const rowsOf = (part: Part): readonly Row[] =>
        results[parts.findIndex(([name]) => name === part)] ?? [];
      const clock = rowsOf('clock')[0] ?? {};
      return {
        now: Number(clock['now']),
        oldestReader: Number(clock['oldest_reader']),
        executions: rowsOf('executions'),
        events: rowsOf('events'),
        tasks: rowsOf('tasks'),
        letters: rowsOf('letters'),
        finished: rowsOf('finished'),
        fences: rowsOf('fences'),
        eventIds: clock['events'] as readonly string[],
        taskIds: clock['tasks'] as readonly string[],
      };
    },
  };
}
