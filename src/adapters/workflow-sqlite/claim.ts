/**
 * Which events a manager is given. Tenants with something due stand in a ring in the order of their names; each claim
 * goes on where the last one stopped, and takes from each tenant in turn, so that none waits longer than all others
 * have had one turn.
 */
import { after } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { ClaimedEvent, WorkflowStore } from '../../ports/workflow-store.ts';
import { existingRow } from './find.ts';
import { toEvent, toExecution } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';
import { wake } from './wake.ts';

/** The tenant that was served last by this process. */
export interface Turn {
  last: string;
}

export function claimEvents(
  scope: Scope,
  turn: Turn,
  { worker, versions: named, limit, lease }: Parameters<WorkflowStore['claimEvents']>[0],
): readonly ClaimedEvent[] {
  const versions = [...new Set(named)];
  for (const version of versions) wake(scope, version, worker);
  const until = after(scope.now, lease);
  const claims: ClaimedEvent[] = [];
  let waiting = tenantsInTurn(scope, versions, { after: turn.last, limit });
  turn.last = waiting.at(-1) ?? turn.last;
  while (waiting.length > 0 && claims.length < limit) {
    const share = Math.max(1, Math.floor((limit - claims.length) / waiting.length));
    const unsatisfied: string[] = [];
    for (const tenant of waiting) {
      const wanted = Math.min(share, limit - claims.length);
      const rows = bestOf(scope, versions, { tenant, limit: wanted });
      for (const row of rows) {
        scope.sql.run(
          'UPDATE event SET ready = 0, leased = 1, wake_at = ?, attempt = attempt + 1, token = token + 1 WHERE key = ?',
          until,
          row['key'] ?? null,
        );
        const execution = toExecution(existingRow(scope, Number(row['execution'])));
        const event = toEvent(row, execution.id);
        claims.push({
          event: { ...event, attempt: event.attempt + 1 },
          lease: { token: Number(row['token']) + 1, until },
          execution,
        });
      }
      if (rows.length === share) unsatisfied.push(tenant);
    }
    waiting = unsatisfied;
  }
  return claims;
}

/** At most `limit` tenants with something due, beginning behind `after` and going round once. */
function tenantsInTurn(
  { sql }: Scope,
  versions: readonly VersionName[],
  { after: last, limit }: { readonly after: string; readonly limit: number },
): readonly string[] {
  const behind = (tenant: string): string | undefined =>
    versions
      .map((version) =>
        sql.row(
          'SELECT tenant FROM event WHERE ready = 1 AND version = ? AND tenant > ? ORDER BY tenant LIMIT 1',
          version,
          tenant,
        ),
      )
      .flatMap((row) => (row === undefined ? [] : [String(row['tenant'])]))
      .toSorted((a, b) => (a < b ? -1 : 1))[0];
  const found: string[] = [];
  let at = last;
  let hasGoneRound = false;
  while (found.length < limit) {
    const next = behind(at);
    if (next !== undefined && (!hasGoneRound || next <= last)) {
      found.push(next);
      at = next;
    } else if (!hasGoneRound && last !== '') {
      hasGoneRound = true;
      at = '';
    } else break;
  }
  return found;
}

/** The due events of a tenant by priority, then by age, over all versions. */
function bestOf(
  { sql }: Scope,
  versions: readonly VersionName[],
  { tenant, limit }: { readonly tenant: string; readonly limit: number },
): readonly Row[] {
  return versions
    .flatMap((version) =>
      sql.rows(
        'SELECT * FROM event WHERE ready = 1 AND version = ? AND tenant = ? ORDER BY priority DESC, key LIMIT ?',
        version,
        tenant,
        limit,
      ),
    )
    .toSorted((a, b) => Number(b['priority']) - Number(a['priority']) || Number(a['key']) - Number(b['key']))
    .slice(0, limit);
}
