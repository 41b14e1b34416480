/** Leases that are prolonged: many in one statement, without waiting for anything but the rows themselves. */
import type { Milliseconds } from '../../model/instant.ts';
import { isId, textIn } from './columns.ts';
import type { Connections } from './connections.ts';
import { NOW } from './needs.ts';

/** Rows are locked in the order of their ids, as everywhere. */
const held = (table: string): string => `WITH held AS (
  SELECT r.id FROM ${table} r WHERE (r.id, r.token) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[])) ORDER BY r.id FOR UPDATE)`;

const RENEW_EVENTS = `${held('events')}
  UPDATE events r SET lease_until = ${NOW} + $3::bigint FROM held
  WHERE r.id = held.id AND r.attempt > 0 RETURNING r.id, r.token`;

/** A task that became due again because its lease ran out is leased again: nobody else has it yet. */
const RENEW_TASKS = `${held('tasks')}
  UPDATE tasks r SET lease_until = ${NOW} + $3::bigint, state = 'leased' FROM held
  WHERE r.id = held.id AND r.attempt > 0 RETURNING r.id, r.token`;

interface Renewal<Id extends string> {
  readonly leases: readonly { readonly id: Id; readonly token: number }[];
  readonly lease: Milliseconds;
}

/** Prolongs leases, and answers those that were lost. */
async function renew<Id extends string>(
  connections: Connections,
  statement: string,
  { leases, lease }: Renewal<Id>,
): Promise<readonly Id[]> {
  const known = leases.filter(({ id, token }) => isId(id) && Number.isSafeInteger(token));
  const [rows = []] =
    known.length === 0
      ? []
      : await connections.run('a renewal of leases', [
          { text: statement, values: [known.map(({ id }) => id), known.map(({ token }) => token), lease] },
        ]);
  const renewed = new Set(rows.map((row) => `${textIn(row, 'id')}/${textIn(row, 'token')}`));
  return leases.filter(({ id, token }) => !renewed.has(`${id}/${token}`)).map(({ id }) => id);
}

export function renewEvents<Id extends string>(
  connections: Connections,
  renewal: Renewal<Id>,
): Promise<readonly Id[]> {
  return renew(connections, RENEW_EVENTS, renewal);
}

export function renewTasks<Id extends string>(
  connections: Connections,
  renewal: Renewal<Id>,
): Promise<readonly Id[]> {
  return renew(connections, RENEW_TASKS, renewal);
}
