/**
 * How executions begin. The server decides, in one statement behind the locks: what has no fence before it and no
 * idempotency key that was used begins, all of it is written, and the receipt says which. So a start is one round trip, and
 * those that are asked for at the same time share it.
 */
import { instant } from '../../model/instant.ts';
import type { Execution, ExecutionId, Worker } from '../../model/workflow.ts';
import type { NewExecution, StartOutcome } from '../../ports/workflow-store.ts';
import type { Settled } from './batches.ts';
import { jsonText, numberIn, optionalNumber, plain } from './columns.ts';
import { leaving, mustBeLeft, type Statement } from './connection.ts';
import type { Connections } from './connections.ts';
import { checkReader } from './migrate.ts';
import { lockingVersions, NOW, OLDEST_READER } from './needs.ts';
import { EXECUTION_COLUMNS, type ExecutionRecord, executionOf, executionRecord } from './records.ts';
import { RANK_OF_ZERO } from './writes.ts';

/** A start as its statement takes it; JSON is text. */
export interface Start
  extends Pick<
    ExecutionRecord,
    'tenant' | 'version' | 'machine' | 'name' | 'priority' | 'data' | 'timeout' | 'idempotencyKey'
  > {
  readonly input: string;
  readonly worker: Worker;
}

/** Throws PayloadTooLargeError. */
export function startOf(request: NewExecution & { readonly worker: Worker }): Start {
  const { tenant, version, priority, timeout, worker, idempotencyKey } = request;
  return {
    tenant,
    version,
    priority,
    timeout,
    worker,
    machine: plain(request.machine),
    name: plain(request.name),
    data: jsonText('the data of the execution', request.data),
    input: jsonText('the input of the execution', request.input),
    idempotencyKey: idempotencyKey === undefined ? undefined : plain(idempotencyKey),
  };
}

const LOCK_VERSIONS = lockingVersions('SELECT unnest($1::text[]) AS version');

const LOCK_KEYS = `SELECT pg_advisory_xact_lock(hashtext(current_schema() || ' key'), lock) FROM (
  SELECT DISTINCT hashtext(tenant || chr(1) || key) AS lock FROM unnest($1::text[], $2::text[]) AS k (tenant, key)
  ORDER BY lock) locks`;

// A key that another row of the statement has, or a row that was there, makes no execution: the reasons are read behind it.
const START = `WITH given AS (
  SELECT nextval('execution_ids') AS id, ${NOW} AS now, g.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::bigint[], $9::text[],
    $10::text[], $11::text[]) WITH ORDINALITY
    AS g (tenant, version, machine, name, priority, data, input, timeout, key, manager, manager_version, place)
  WHERE ${OLDEST_READER} <= $12::int AND NOT EXISTS (SELECT FROM fences f WHERE f.version = g.version)
), made AS (
  INSERT INTO executions (id, tenant, version, machine, name, priority, state, data, revision, started_at, updated_at, timeout,
    deadline, error, idempotency_key, history_lines)
  SELECT id, tenant, version, machine, name, priority, 'Running', data, 0, now, now, timeout, now + timeout, '', key, 1 FROM given
  ON CONFLICT DO NOTHING RETURNING id
), started AS (
  SELECT g.* FROM made m JOIN given g ON g.id = m.id
), opened AS (
  INSERT INTO open_executions (version, execution) SELECT version, id FROM started
), queued AS (
  INSERT INTO events (id, execution, tenant, version, kind, payload, priority, rank, state, due_at, attempt, token, lease_until)
  SELECT nextval('event_ids'), s.id, s.tenant, s.version, e.kind, e.payload, s.priority, ${RANK_OF_ZERO} - s.priority,
    CASE WHEN e.due_at <= s.now THEN 'queued' ELSE 'delayed' END, e.due_at, 0, 0, 0
  FROM started s, LATERAL (VALUES ('Start', s.input, s.now), ('Timeout', 'null', s.now + s.timeout)) e (kind, payload, due_at)
  WHERE e.due_at IS NOT NULL
), told AS (
  INSERT INTO history (execution, sequence, at, kind, revision, version, manager, manager_version, step, detail)
  SELECT id, 1, now, 'Started', 0, version, manager, manager_version, name, '' FROM started
), left_receipt AS (
  ${leaving(13, "(SELECT coalesce(json_agg(json_build_array(place, id::text, now)), '[]')::text FROM started)")}
)
SELECT (SELECT answer FROM left_receipt) AS answer, ${mustBeLeft('left_receipt')}`;

/** Place, id and time of those that began. */
type Answer = readonly (readonly [number, ExecutionId, number])[];

/** Why an execution did not begin. */
const REASONS = `SELECT g.place, ${OLDEST_READER} AS oldest_reader, f.since, ${EXECUTION_COLUMNS}
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS g (tenant, version, key, place)
LEFT JOIN fences f ON f.version = g.version
LEFT JOIN executions x ON x.tenant = g.tenant AND x.idempotency_key = g.key ORDER BY g.place`;

export interface StartingOptions {
  readonly connections: Connections;
  /** The version of the tables that this release knows. */
  readonly known: number;
  /** What is sent behind the commit. */
  readonly word: () => readonly Statement[];
}

/** Begins what may begin, in one transaction, and says of the others why not. */
export async function startTogether(
  starts: readonly Start[],
  options: StartingOptions,
): Promise<readonly Settled<StartOutcome>[]> {
  const begun = await begin(starts, options);
  const others = starts.filter((_, index) => begun[index] === undefined);
  const answers = others.length === 0 ? [] : await answered(others, options);
  return filled(begun, answers);
}

/** What did not begin: what was in its way, or that it began after all when that was gone. */
async function answered(
  starts: readonly Start[],
  options: StartingOptions,
): Promise<readonly Settled<StartOutcome>[]> {
  try {
    const reasons = await reasonsOf(starts, options);
    // A fence was lifted meanwhile, or an execution that had the key was removed.
    const free = starts.filter((_, index) => reasons[index] === undefined);
    return filled(reasons, free.length === 0 ? [] : await startTogether(free, options));
  } catch (error) {
    // Those that began in the same transaction did begin.
    return starts.map(() => ({ kind: 'threw', error }));
  }
}

async function begin(
  starts: readonly Start[],
  { connections, known, word }: StartingOptions,
): Promise<readonly (Settled<StartOutcome> | undefined)[]> {
  const keyed = starts.filter(({ idempotencyKey }) => idempotencyKey !== undefined);
  const lockVersions = { text: LOCK_VERSIONS, values: [starts.map(({ version }) => version)] };
  const lockKeys = {
    text: LOCK_KEYS,
    values: [keyed.map(({ tenant }) => tenant), keyed.map(({ idempotencyKey }) => idempotencyKey)],
  };
  const answer = await connections.shoot('a start of executions', {
    locks: keyed.length === 0 ? [lockVersions] : [lockVersions, lockKeys],
    statement: (receipt) => ({ text: START, values: [...columnsOf(starts), known, ...receipt] }),
    behind: word(),
  });
  const begun = new Map((JSON.parse(answer) as Answer).map(([place, id, now]) => [place - 1, { id, now }]));
  return starts.map((start, index) => {
    const made = begun.get(index);
    return made && done({ kind: 'Started', execution: executionBegun(start, made) });
  });
}

function columnsOf(starts: readonly Start[]): readonly (readonly unknown[])[] {
  return [
    starts.map(({ tenant }) => tenant),
    starts.map(({ version }) => version),
    starts.map(({ machine }) => machine),
    starts.map(({ name }) => name),
    starts.map(({ priority }) => priority),
    starts.map(({ data }) => data),
    starts.map(({ input }) => input),
    starts.map(({ timeout }) => timeout),
    starts.map(({ idempotencyKey }) => idempotencyKey),
    starts.map(({ worker }) => worker.manager),
    starts.map(({ worker }) => worker.version),
  ];
}

function executionBegun(
  start: Start,
  { id, now }: { readonly id: ExecutionId; readonly now: number },
): Execution {
  return executionOf({
    ...start,
    id,
    state: 'Running',
    revision: 0,
    startedAt: now,
    updatedAt: now,
    endedAt: undefined,
    deadline: start.timeout === undefined ? undefined : now + start.timeout,
    result: undefined,
    error: '',
    historyLines: 1,
  });
}

/** What is in the way of each, if anything still is. A key that was used is told also where the version is fenced. */
async function reasonsOf(
  starts: readonly Start[],
  { connections, known }: StartingOptions,
): Promise<readonly (Settled<StartOutcome> | undefined)[]> {
  const values = [
    starts.map(({ tenant }) => tenant),
    starts.map(({ version }) => version),
    starts.map(({ idempotencyKey }) => idempotencyKey),
  ];
  const [rows = []] = await connections.run('a look at what did not start', [{ text: REASONS, values }]);
  return rows.map((row) => {
    checkReader(numberIn(row, 'oldest_reader'), known);
    if (row['execution_id'] !== null)
      return done({ kind: 'Existing', execution: executionOf(executionRecord(row)) });
    const since = optionalNumber(row, 'since');
    return since === undefined ? undefined : done({ kind: 'Fenced', since: instant(since) });
  });
}

function done(outcome: StartOutcome): Settled<StartOutcome> {
  return { kind: 'done', outcome };
}

/** Puts values, in their order, where there are none. */
function filled<Item>(gaps: readonly (Item | undefined)[], values: readonly Item[]): readonly Item[] {
  const rest = [...values];
  return gaps.flatMap((item) => item ?? rest.shift() ?? []);
}
