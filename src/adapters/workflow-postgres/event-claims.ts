/**
 * How events are claimed: fair between tenants whatever waits, at a price that does not grow with what waits. The index of
 * queued events is walked from tenant to tenant, beginning behind the tenant that was served last; of each the first events
 * are taken. A lease changes no indexed column, so claiming costs no index entry.
 */
import { type Instant, instant, type Milliseconds } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { EventId, Worker } from '../../model/workflow.ts';
import { type ClaimedEvent, type EventLease, MAX_EVENT_ATTEMPTS } from '../../ports/workflow-store.ts';
import { numberIn, optionalText, type Row, textIn } from './columns.ts';
import type { Statement } from './connection.ts';
import type { Connections } from './connections.ts';
import { NOW } from './needs.ts';
import {
  EVENT_COLUMNS,
  EXECUTION_COLUMNS,
  eventOf,
  eventRecord,
  executionOf,
  executionRecord,
} from './records.ts';

export interface EventClaim {
  readonly worker: Worker;
  readonly versions: readonly VersionName[];
  readonly limit: number;
  readonly lease: Milliseconds;
}

const MOST_AT_ONCE = 1_000;

/** Delayed events whose time has come are queued: the statement itself does not see them, the next one does. */
const PROMOTED = `UPDATE events SET state = 'queued' WHERE id IN (
  SELECT e.id FROM unnest($1::text[]) AS v (version), LATERAL (
    SELECT id FROM events d WHERE d.state = 'delayed' AND d.version = v.version AND d.due_at <= ${NOW}
    ORDER BY d.due_at LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED) e) RETURNING id`;

/** The first tenant behind another one that has queued events of one of the versions. */
const tenantBehind = (
  tenant: string,
): string => `(SELECT min(f.tenant) FROM unnest($1::text[]) AS v (version), LATERAL (
    SELECT q.tenant FROM events q WHERE q.state = 'queued' AND q.version = v.version AND q.tenant > ${tenant}
    ORDER BY q.tenant LIMIT 1) f)`;

const CLAIM = `WITH RECURSIVE promoted AS (${PROMOTED}), behind (tenant, turn) AS (
  SELECT ${tenantBehind('$2::text')}, 1
  UNION ALL SELECT ${tenantBehind('b.tenant')}, b.turn + 1 FROM behind b WHERE b.tenant IS NOT NULL AND b.turn < $3::int
), before (tenant, turn) AS (
  SELECT ${tenantBehind("''")}, (SELECT count(b.tenant)::int FROM behind b) + 1
  UNION ALL SELECT ${tenantBehind('b.tenant')}, b.turn + 1 FROM before b
    WHERE b.tenant IS NOT NULL AND b.tenant <= $2::text AND b.turn < $3::int
), lanes AS (
  SELECT tenant, turn FROM behind WHERE tenant IS NOT NULL
  UNION ALL SELECT tenant, turn FROM before WHERE tenant <= $2::text AND turn <= $3::int
), share AS (SELECT ceil($3::int::numeric / greatest(count(*), 1))::int AS size FROM lanes
), found AS (
  SELECT q.id, q.rank, l.turn FROM lanes l, share s, unnest($1::text[]) AS v (version), LATERAL (
    SELECT e.id, e.rank FROM events e
    WHERE e.state = 'queued' AND e.version = v.version AND e.tenant = l.tenant AND e.lease_until <= ${NOW}
    ORDER BY e.rank, e.id LIMIT s.size FOR UPDATE SKIP LOCKED) q
), ranked AS (
  SELECT id, turn, row_number() OVER (PARTITION BY turn ORDER BY rank, id) AS place FROM found
), chosen AS (
  SELECT r.id, r.place, r.turn FROM ranked r, share s WHERE r.place <= s.size ORDER BY r.place, r.turn LIMIT $3::int
), claimed AS (
  UPDATE events e SET token = e.token + 1, attempt = e.attempt + 1, lease_until = ${NOW} + $4::bigint
  FROM chosen c WHERE e.id = c.id RETURNING ${EVENT_COLUMNS}, c.place, c.turn
), walk AS (
  SELECT (SELECT count(*) FROM lanes)::int AS lanes, (SELECT size FROM share) AS share,
    (SELECT l.tenant FROM lanes l ORDER BY l.turn DESC LIMIT 1) AS last,
    (SELECT max(place) FROM ranked)::int AS fullest, EXISTS (SELECT FROM promoted) AS is_more_due
)
SELECT w.is_more_due, w.lanes, w.share, w.last, w.fullest, c.*, ${EXECUTION_COLUMNS}
FROM walk w LEFT JOIN (claimed c JOIN executions x ON x.id = c.execution) ON true ORDER BY c.place, c.turn`;

/** What one walk found. */
interface Walk {
  readonly claims: readonly ClaimedEvent[];
  /** Claimed once more than they may be. */
  readonly exhausted: readonly EventLease[];
  /** The walk ended because it had enough tenants, or a tenant had as much as its share. */
  readonly mayBeMore: boolean;
  /** Delayed events have become due in it. */
  readonly isMoreDue: boolean;
}

export class EventClaims {
  readonly #connections: Connections;
  /** The tenant that was served last. */
  #last = '';

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** What was claimed, and what has to be given up in place of it. */
  async claim(request: EventClaim): Promise<Pick<Walk, 'claims' | 'exhausted'>> {
    const claims: ClaimedEvent[] = [];
    const exhausted: EventLease[] = [];
    const versions = [...new Set(request.versions)];
    let left = Math.min(request.limit, MOST_AT_ONCE);
    const origin = this.#last;
    while (left > 0 && versions.length > 0) {
      const begin = this.#last;
      const walk = await this.#walk({ ...request, versions, limit: left });
      claims.push(...walk.claims);
      exhausted.push(...walk.exhausted);
      left -= walk.claims.length;
      const isAround = walk.claims.length === 0 && passes(begin, this.#last, origin);
      if (!walk.isMoreDue && (!walk.mayBeMore || isAround)) break;
    }
    return { claims, exhausted };
  }

  async #walk(request: EventClaim): Promise<Walk> {
    const { versions, limit, lease } = request;
    const claim: Statement = { text: CLAIM, values: [versions, this.#last, limit, lease] };
    const [rows = []] = await this.#connections.run('a claim of events', [claim]);
    const [first] = rows;
    if (first === undefined) return { claims: [], exhausted: [], mayBeMore: false, isMoreDue: false };
    this.#last = optionalText(first, 'last') ?? this.#last;
    const claimed = rows.filter((row) => row['id'] !== null);
    const exhausted = claimed.filter((row) => numberIn(row, 'attempt') > MAX_EVENT_ATTEMPTS);
    const isFull = numberIn(first, 'fullest') >= numberIn(first, 'share');
    return {
      claims: claimed.filter((row) => numberIn(row, 'attempt') <= MAX_EVENT_ATTEMPTS).map(claimOf),
      exhausted: exhausted.map((row) => ({
        event: textIn(row, 'id') as EventId,
        token: numberIn(row, 'token'),
      })),
      isMoreDue: first['is_more_due'] === true,
      mayBeMore: claimed.length < limit ? isFull || numberIn(first, 'lanes') >= limit : exhausted.length > 0,
    };
  }
}

/** Whether the way from one tenant up to another, in a circle, comes by a third one or ends at it. */
function passes(begin: string, end: string, other: string): boolean {
  return begin < end ? other > begin && other <= end : other > begin || other <= end;
}

function claimOf(row: Row): ClaimedEvent {
  const record = eventRecord(row);
  const until: Instant = instant(record.leaseUntil);
  return {
    event: eventOf(record),
    lease: { token: record.token, until },
    execution: executionOf(executionRecord(row)),
  };
}
