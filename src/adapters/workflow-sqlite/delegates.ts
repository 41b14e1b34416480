/** Delegates as managers last heard of them. */
import type { Instant } from '../../model/instant.ts';
import type { TenantName, VersionName } from '../../model/names.ts';
import type { DelegateId, DelegateRegistration, ManagerId } from '../../model/workflow.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { toTags } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';

export function saveDelegates(
  { sql }: Scope,
  manager: ManagerId,
  registrations: readonly DelegateRegistration[],
): undefined {
  sql.run('DELETE FROM delegate WHERE manager = ?', manager);
  for (const { tenant, delegate, version, tags, capacity, running, since, lastSeen } of registrations) {
    sql.run(
      `INSERT OR REPLACE INTO delegate (manager, tenant, name, version, tags, capacity, running, since, last_seen)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      manager,
      tenant,
      delegate,
      version,
      JSON.stringify(tags),
      capacity,
      running,
      since,
      lastSeen,
    );
  }
}

export function delegates(
  { sql }: Scope,
  { version, since }: Parameters<WorkflowStore['delegates']>[0],
): readonly DelegateRegistration[] {
  const newest = new Map<string, DelegateRegistration>();
  for (const row of sql.rows('SELECT * FROM delegate WHERE last_seen >= ? ORDER BY last_seen', since)) {
    const registration = toRegistration(row);
    if (version !== undefined && registration.version !== version) continue;
    newest.set(
      JSON.stringify([registration.tenant, registration.delegate, registration.version]),
      registration,
    );
  }
  return [...newest.values()];
}

function toRegistration(row: Row): DelegateRegistration {
  return {
    delegate: row['name'] as DelegateId,
    tenant: row['tenant'] as TenantName,
    version: row['version'] as VersionName,
    tags: toTags(row['tags']),
    capacity: Number(row['capacity']),
    running: Number(row['running']),
    manager: row['manager'] as ManagerId,
    since: row['since'] as Instant,
    lastSeen: row['last_seen'] as Instant,
  };
}
