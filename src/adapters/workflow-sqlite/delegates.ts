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
  const gone = new Map<string, DelegateRegistration>();
  for (const row of sql.rows('SELECT * FROM delegate WHERE manager = ?', manager)) {
    const known = toRegistration(row);
    gone.set(keyOf(known), known);
  }
  for (const registration of registrations) {
    const key = keyOf(registration);
    const known = gone.get(key);
    gone.delete(key);
    // Thousands are told again and again; what is the same is no write.
    if (known === undefined || !isSame(known, registration)) put(sql, manager, registration);
  }
  for (const { tenant, delegate, version } of gone.values()) {
    sql.run(
      'DELETE FROM delegate WHERE manager = ? AND tenant = ? AND name = ? AND version = ?',
      manager,
      tenant,
      delegate,
      version,
    );
  }
}

function put(
  sql: Scope['sql'],
  manager: ManagerId,
  { tenant, delegate, version, tags, capacity, running, since, lastSeen }: DelegateRegistration,
): void {
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

function keyOf({ tenant, delegate, version }: DelegateRegistration): string {
  return JSON.stringify([tenant, delegate, version]);
}

function isSame(one: DelegateRegistration, other: DelegateRegistration): boolean {
  return factsOf(one) === factsOf(other);
}

function factsOf({ tags, capacity, running, since, lastSeen }: DelegateRegistration): string {
  return JSON.stringify([tags, capacity, running, since, lastSeen]);
}

export function delegates(
  { sql }: Scope,
  { version, since }: Parameters<WorkflowStore['delegates']>[0],
): readonly DelegateRegistration[] {
  const newest = new Map<string, DelegateRegistration>();
  for (const row of sql.rows('SELECT * FROM delegate WHERE last_seen >= ? ORDER BY last_seen', since)) {
    const registration = toRegistration(row);
    if (version !== undefined && registration.version !== version) continue;
    newest.set(keyOf(registration), registration);
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
