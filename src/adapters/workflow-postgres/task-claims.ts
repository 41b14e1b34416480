/** How tasks are given to delegates: each gets those of its tenant, its versions and its tags, up to its free places. */
import type { Milliseconds } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { TaskId, Worker } from '../../model/workflow.ts';
import type { ClaimedTask, DelegateSlots } from '../../ports/workflow-store.ts';
import { plain, type Row, textIn } from './columns.ts';
import type { Statement } from './connection.ts';
import type { Connections } from './connections.ts';
import { NOW, reading } from './needs.ts';
import { leasing } from './task-changes.ts';
import { Workspace } from './workspace.ts';
import { writesOf } from './writes.ts';

export interface TaskClaim {
  readonly worker: Worker;
  readonly slots: readonly DelegateSlots[];
  readonly lease: Milliseconds;
}

const MOST_AT_ONCE = 1_000;
/** Delegates with different tags may want the same tasks; those that came too late look again. */
const MOST_ROUNDS = 5;

/** Delegates that may take the same tasks. */
interface Group {
  readonly slots: DelegateSlots[];
  free: number;
}

const PROMOTE = `UPDATE tasks SET state = 'queued' WHERE id IN (
  SELECT t.id FROM unnest($1::text[]) AS v (version), LATERAL (
    SELECT id FROM tasks d WHERE d.state = 'delayed' AND d.version = v.version AND d.due_at <= ${NOW}
    ORDER BY d.due_at LIMIT ${MOST_AT_ONCE} FOR UPDATE SKIP LOCKED) t)`;

/**
 * Sets of tags that a look goes through, of one tenant and version. Whatever waits for a delegate that is not there costs
 * one step of the index for its set; a tenant that asks for more different sets than this delays its own tasks.
 */
const MOST_SETS = 1_000;

// The executions are locked, as for every change of what belongs to them; one that is being changed is passed over.
const FIND = `SELECT g.number, c.id FROM
  unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[]) AS g (number, tenant, versions, tags, free),
  LATERAL (SELECT ARRAY (SELECT json_array_elements_text(g.tags::json)) AS tags) has,
  LATERAL (SELECT f.id, f.rank FROM json_array_elements_text(g.versions::json) AS v (version), LATERAL (
      WITH RECURSIVE sets (tags, number) AS (
        SELECT (SELECT t.tags FROM tasks t WHERE t.state = 'queued' AND t.version = v.version AND t.tenant = g.tenant
          ORDER BY t.tags LIMIT 1), 1
        UNION ALL SELECT (SELECT t.tags FROM tasks t WHERE t.state = 'queued' AND t.version = v.version
          AND t.tenant = g.tenant AND t.tags > s.tags ORDER BY t.tags LIMIT 1), s.number + 1
        FROM sets s WHERE s.tags IS NOT NULL AND s.number < ${MOST_SETS})
      SELECT s.tags FROM sets s WHERE s.tags <@ has.tags) fitting, LATERAL (
      SELECT t.id, t.rank FROM tasks t JOIN executions x ON x.id = t.execution
      WHERE t.state = 'queued' AND t.version = v.version AND t.tenant = g.tenant AND t.tags = fitting.tags
      ORDER BY t.rank, t.id LIMIT g.free FOR UPDATE OF x SKIP LOCKED) f
    ORDER BY f.rank, f.id LIMIT g.free) c
  ORDER BY g.number, c.rank, c.id`;

export const FIND_EXPIRED = `SELECT t.id FROM tasks t WHERE t.state = 'leased' AND t.version = ANY ($1::text[])
  AND t.lease_until <= ${NOW} LIMIT ${MOST_AT_ONCE}`;

/** Claims tasks for delegates with free places. */
export async function claimTasks(
  connections: Connections,
  request: TaskClaim,
): Promise<readonly ClaimedTask[]> {
  const claims: ClaimedTask[] = [];
  let groups = grouped(request.slots);
  for (let round = 0; round < MOST_ROUNDS && groups.length > 0; round += 1) {
    const found = await claimOnce(connections, { ...request, groups });
    claims.push(...found.claims);
    groups = found.unserved;
  }
  return claims;
}

async function claimOnce(
  connections: Connections,
  { groups, lease, worker }: TaskClaim & { readonly groups: readonly Group[] },
): Promise<{ readonly claims: readonly ClaimedTask[]; readonly unserved: readonly Group[] }> {
  let candidates: readonly Row[] = [];
  let reads: ReturnType<typeof reading> | undefined;
  return connections.transact('a claim of tasks', {
    reads: [promoting(groups), finding(groups)],
    furtherReads: (results) => {
      candidates = results[1] ?? [];
      reads = reading([{ tasks: candidates.map((row) => textIn(row, 'id') as TaskId) }]);
      return reads.statements;
    },
    decide: (results) => {
      const outcome = { claims: [] as ClaimedTask[], unserved: [] as Group[] };
      if (reads === undefined) return { outcome, writes: [] };
      const workspace = new Workspace(reads.read(results));
      groups.forEach((group, number) => {
        const ids = candidates
          .filter((row) => Number(row['number']) === number)
          .map((row) => textIn(row, 'id') as TaskId);
        const places = group.slots.flatMap((slot) => Array<DelegateSlots>(slot.free).fill(slot));
        const taken = new Map<DelegateSlots, number>();
        let next = 0;
        for (const id of ids) {
          const slot = places[next];
          if (slot === undefined) break;
          const claim = leasing(workspace, { id, delegate: slot.worker, lease, worker });
          if (claim === undefined) continue;
          next += 1;
          taken.set(slot, (taken.get(slot) ?? 0) + 1);
          outcome.claims.push(claim);
        }
        // It found as many as it has places for, and others were quicker.
        if (ids.length === group.free && next < ids.length) outcome.unserved.push(without(group, taken));
      });
      return { outcome, writes: writesOf(workspace) };
    },
  });
}

function without(group: Group, taken: ReadonlyMap<DelegateSlots, number>): Group {
  const slots = group.slots.map((slot) => ({ ...slot, free: slot.free - (taken.get(slot) ?? 0) }));
  return { slots, free: slots.reduce((sum, { free }) => sum + free, 0) };
}

function grouped(slots: readonly DelegateSlots[]): readonly Group[] {
  const groups = new Map<string, Group>();
  let left = MOST_AT_ONCE;
  for (const wanted of slots) {
    const free = Math.min(wanted.free, left);
    if (free <= 0) continue;
    left -= free;
    const slot = { ...wanted, free };
    const key = JSON.stringify([slot.tenant, slot.versions.toSorted(), slot.tags.toSorted()]);
    const group = groups.get(key) ?? { slots: [], free: 0 };
    group.slots.push(slot);
    group.free += free;
    groups.set(key, group);
  }
  return [...groups.values()];
}

function promoting(groups: readonly Group[]): Statement {
  return { text: PROMOTE, values: [versionsOf(groups.flatMap(({ slots }) => slots))] };
}

function finding(groups: readonly Group[]): Statement {
  const first = groups.map(({ slots: [slot] }) => slot);
  return {
    text: FIND,
    values: [
      groups.map((_, number) => number),
      first.map((slot) => slot?.tenant ?? ''),
      first.map((slot) => JSON.stringify([...new Set(slot?.versions)])),
      first.map((slot) => JSON.stringify((slot?.tags ?? []).map(plain))),
      groups.map(({ free }) => free),
    ],
  };
}

export function versionsOf(slots: readonly DelegateSlots[]): readonly VersionName[] {
  return [...new Set(slots.flatMap(({ versions }) => versions))];
}
