/** Leases that are prolonged: many in one statement, without waiting for anything but the rows themselves. */
import type { EventId } from '../../model/workflow.ts';
import type { DelegateLease, EventLease, Renewal } from '../../ports/workflow-store.ts';
import { isId, numberIn, type Row, textIn } from './columns.ts';
import type { Statement } from './connection.ts';
import type { Connections } from './connections.ts';
import { NOW } from './needs.ts';

/** Rows are locked in the order of their ids, as everywhere. */
const RENEW_EVENTS = `WITH held AS (
  SELECT r.id FROM events r WHERE (r.id, r.token) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[])) ORDER BY r.id FOR UPDATE)
  UPDATE events r SET lease_until = ${NOW} + $3::bigint FROM held
  WHERE r.id = held.id AND r.attempt > 0 RETURNING r.id, r.token`;

/** A task that became due again because its lease ran out is leased again: nobody else has it yet. */
const RENEW_TASKS = `WITH held AS (
  SELECT r.id, h.place
  FROM unnest($1::bigint[], $2::bigint[], $4::text[], $5::text[]) WITH ORDINALITY AS h (id, token, tenant, versions, place)
  JOIN tasks r ON r.id = h.id AND r.token = h.token AND r.tenant = h.tenant AND h.versions::jsonb ? r.version
  WHERE r.attempt > 0 ORDER BY r.id FOR UPDATE OF r
), renewed AS (
  UPDATE tasks r SET lease_until = ${NOW} + $3::bigint, state = 'leased' FROM held WHERE r.id = held.id)
  SELECT place FROM held`;

/** Prolongs leases, and answers those that were lost. */
export async function renewEvents(
  connections: Connections,
  { leases, lease }: Renewal<EventLease>,
): Promise<readonly EventId[]> {
  const known = leases.filter(({ event, token }) => isId(event) && Number.isSafeInteger(token));
  const values = [known.map(({ event }) => event), known.map(({ token }) => token), lease];
  const rows = known.length === 0 ? [] : await renewed(connections, { text: RENEW_EVENTS, values });
  const kept = new Set(rows.map((row) => `${textIn(row, 'id')}/${textIn(row, 'token')}`));
  return leases.filter(({ event, token }) => !kept.has(`${event}/${token}`)).map(({ event }) => event);
}

/** Prolongs leases, and answers those that were lost. */
export async function renewTasks(
  connections: Connections,
  { leases, lease }: Renewal<DelegateLease>,
): Promise<readonly DelegateLease[]> {
  const known = leases.filter(({ task, token }) => isId(task) && Number.isSafeInteger(token));
  const values = [
    known.map(({ task }) => task),
    known.map(({ token }) => token),
    lease,
    known.map(({ tenant }) => tenant),
    known.map(({ versions }) => JSON.stringify(versions)),
  ];
  const rows = known.length === 0 ? [] : await renewed(connections, { text: RENEW_TASKS, values });
  const kept = new Set(rows.map((row) => known[numberIn(row, 'place') - 1]));
  return leases.filter((held) => !kept.has(held));
}

async function renewed(connections: Connections, statement: Statement): Promise<readonly Row[]> {
  const [rows = []] = await connections.run('a renewal of leases', [statement]);
  return rows;
}
