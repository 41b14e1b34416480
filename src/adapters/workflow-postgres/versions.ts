/** What concerns versions as a whole: fences, counts, continuations, the delegates that managers told of, pruning. */

import type { Instant } from '../../model/instant.ts';
import { instant } from '../../model/instant.ts';
import type { TenantName, VersionName } from '../../model/names.ts';
import type { DelegateId, DelegateRegistration, ManagerId, VersionWork } from '../../model/workflow.ts';
import { numberIn, optionalNumber, plain, type Row, textIn } from './columns.ts';
import type { Connections } from './connections.ts';
import { NOW, VERSION_LOCK } from './needs.ts';

// Starts hold this lock shared: none is under way when the version is fenced, and none begins before the count is done.
const LOCK = `SELECT pg_advisory_xact_lock(${VERSION_LOCK}, hashtext($1::text))`;

// One statement sees one moment. What is leased to somebody whose time is over counts as queued, and so does what is due.
const counting = (since: string): string => `
SELECT c.now, ${since} AS since,
  (SELECT count(*) FROM open_executions o WHERE o.version = $1) AS executions,
  (SELECT count(*) FROM events e WHERE e.version = $1 AND e.state = 'queued' AND e.lease_until <= c.now) AS events_queued,
  (SELECT count(*) FROM events e WHERE e.version = $1 AND e.state = 'queued' AND e.lease_until > c.now) AS events_leased,
  (SELECT count(*) FROM events e WHERE e.version = $1 AND e.state = 'delayed' AND e.due_at > c.now) AS events_delayed,
  (SELECT count(*) FROM events e WHERE e.version = $1 AND e.state = 'delayed' AND e.due_at <= c.now) AS events_due,
  (SELECT count(*) FROM tasks t WHERE t.version = $1 AND t.state = 'queued') AS tasks_queued,
  (SELECT count(*) FROM tasks t WHERE t.version = $1 AND t.state = 'leased' AND t.lease_until > c.now) AS tasks_leased,
  (SELECT count(*) FROM tasks t WHERE t.version = $1 AND t.state = 'leased' AND t.lease_until <= c.now) AS tasks_lost,
  (SELECT count(*) FROM tasks t WHERE t.version = $1 AND t.state = 'delayed' AND t.due_at > c.now) AS tasks_delayed,
  (SELECT count(*) FROM tasks t WHERE t.version = $1 AND t.state = 'delayed' AND t.due_at <= c.now) AS tasks_due,
  (SELECT count(*) FROM dead_letters l WHERE l.version = $1) AS dead_letters
FROM clock c LEFT JOIN fences f ON f.version = $1`;

const COUNT = `WITH clock AS (SELECT ${NOW} AS now) ${counting('f.since')}`;

const FENCE_AND_COUNT = `WITH clock AS (SELECT ${NOW} AS now), fenced AS (
  INSERT INTO fences (version, since) SELECT $1, now FROM clock ON CONFLICT DO NOTHING RETURNING since
) ${counting('coalesce(f.since, (SELECT since FROM fenced))')}`;

// Executions that ended before began before: their index of starting times is small, and costs nothing to keep. One that
// somebody has asked to run again is not removed before that is done.
const PRUNE = `WITH old AS (
  SELECT x.id FROM executions x WHERE x.started_at < $1 AND x.ended_at < $1
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.execution = x.id)
  ORDER BY x.id LIMIT $2 FOR UPDATE SKIP LOCKED
), results AS (
  DELETE FROM finished_tasks f USING old o, history h
  WHERE h.execution = o.id AND h.kind IN ('TaskFinished', 'TaskRetried') AND f.task = h.task AND f.token = h.token
), events AS (DELETE FROM events e USING old o WHERE e.execution = o.id
), letters AS (DELETE FROM dead_letters l USING old o WHERE l.execution = o.id
), lines AS (DELETE FROM history h USING old o WHERE h.execution = o.id)
DELETE FROM executions x USING old o WHERE x.id = o.id RETURNING x.id`;

/** Receipts of connections that are gone, long after anybody could ask for them. */
const RECEIPTS_KEPT_MS = 24 * 60 * 60 * 1_000;

export class Versions {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  fenceAndCount(version: VersionName): Promise<VersionWork> {
    return this.#connections.transact('a fence', {
      reads: [
        { text: LOCK, values: [version] },
        { text: FENCE_AND_COUNT, values: [version] },
      ],
      decide: (results) => ({ outcome: workOf(version, results[1]?.[0] ?? {}), writes: [] }),
    });
  }

  async count(version: VersionName): Promise<VersionWork> {
    const [rows = []] = await this.#connections.run('a count', [{ text: COUNT, values: [version] }]);
    return workOf(version, rows[0] ?? {});
  }

  async lift(version: VersionName): Promise<void> {
    await this.#connections.run('the lifting of a fence', [
      { text: 'DELETE FROM fences WHERE version = $1', values: [version] },
    ]);
  }

  async declareContinuation(version: VersionName, continues: readonly VersionName[]): Promise<void> {
    await this.#connections.run('a declaration', [
      {
        text: `INSERT INTO continuations (version, continues) SELECT $1, c FROM unnest($2::text[]) AS c
          WHERE c <> $1 ON CONFLICT DO NOTHING`,
        values: [version, continues],
      },
    ]);
  }

  async saveDelegates(manager: ManagerId, delegates: readonly DelegateRegistration[]): Promise<void> {
    const rows = [
      ...new Map(
        delegates.map((one) => [JSON.stringify([one.delegate, one.tenant, one.version]), one]),
      ).values(),
    ];
    const values = [
      manager,
      rows.map(({ delegate }) => delegate),
      rows.map(({ tenant }) => tenant),
      rows.map(({ version }) => version),
    ];
    await this.#connections.run('a list of delegates', [
      {
        // In one statement: nobody sees a manager without its delegates. Thousands are told again and again; what is the
        // same is no write.
        text: `WITH given AS (
            SELECT g.delegate, g.tenant, g.version, ARRAY (SELECT json_array_elements_text(g.tags::json)) AS tags, g.capacity,
              g.running, g.since, g.last_seen
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::bigint[], $9::bigint[])
              AS g (delegate, tenant, version, tags, capacity, running, since, last_seen)
          ), gone AS (
            DELETE FROM delegates d WHERE d.manager = $1
              AND (d.delegate, d.tenant, d.version) NOT IN (SELECT delegate, tenant, version FROM given))
          INSERT INTO delegates (manager, delegate, tenant, version, tags, capacity, running, since, last_seen)
          SELECT $1, g.* FROM given g WHERE NOT EXISTS (
            SELECT FROM delegates d WHERE d.manager = $1
              AND (d.delegate, d.tenant, d.version) = (g.delegate, g.tenant, g.version)
              AND (d.tags, d.capacity, d.running, d.since, d.last_seen) = (g.tags, g.capacity, g.running, g.since, g.last_seen))
          ON CONFLICT (manager, delegate, tenant, version) DO UPDATE SET tags = EXCLUDED.tags, capacity = EXCLUDED.capacity,
            running = EXCLUDED.running, since = EXCLUDED.since, last_seen = EXCLUDED.last_seen`,
        values: [
          ...values,
          rows.map(({ tags }) => JSON.stringify(tags.map(plain))),
          rows.map(({ capacity }) => capacity),
          rows.map(({ running }) => running),
          rows.map(({ since }) => since),
          rows.map(({ lastSeen }) => lastSeen),
        ],
      },
    ]);
  }

  async delegates(query: {
    readonly version?: VersionName;
    readonly since: Instant;
  }): Promise<readonly DelegateRegistration[]> {
    const [rows = []] = await this.#connections.run('a query of delegates', [
      {
        text: `SELECT DISTINCT ON (delegate, tenant, version) * FROM delegates
          WHERE last_seen >= $1 AND ($2::text IS NULL OR version = $2)
          ORDER BY delegate, tenant, version, last_seen DESC, manager`,
        values: [query.since, query.version ?? null],
      },
    ]);
    return rows.map(registrationOf);
  }

  async prune(before: Instant, limit: number): Promise<number> {
    const [pruned = []] = await this.#connections.run('pruning', [
      { text: PRUNE, values: [before, limit] },
      { text: 'DELETE FROM delegates WHERE last_seen < $1', values: [before] },
      { text: `DELETE FROM receipts WHERE at < ${NOW} - $1::bigint`, values: [RECEIPTS_KEPT_MS] },
    ]);
    return pruned.length;
  }
}

function workOf(version: VersionName, row: Row): VersionWork {
  const since = optionalNumber(row, 'since');
  const sum = (...columns: readonly string[]): number =>
    columns.reduce((total, column) => total + numberIn(row, column), 0);
  return {
    version,
    asOf: instant(numberIn(row, 'now')),
    ...(since === undefined ? {} : { fencedSince: instant(since) }),
    executions: sum('executions'),
    events: {
      queued: sum('events_queued', 'events_due'),
      leased: sum('events_leased'),
      delayed: sum('events_delayed'),
    },
    tasks: {
      queued: sum('tasks_queued', 'tasks_lost', 'tasks_due'),
      leased: sum('tasks_leased'),
      delayed: sum('tasks_delayed'),
    },
    deadLetters: sum('dead_letters'),
  };
}

function registrationOf(row: Row): DelegateRegistration {
  return {
    delegate: textIn(row, 'delegate') as DelegateId,
    tenant: textIn(row, 'tenant') as TenantName,
    version: textIn(row, 'version') as VersionName,
    tags: row['tags'] as readonly string[],
    capacity: numberIn(row, 'capacity'),
    running: numberIn(row, 'running'),
    manager: textIn(row, 'manager') as ManagerId,
    since: instant(numberIn(row, 'since')),
    lastSeen: instant(numberIn(row, 'last_seen')),
  };
}
