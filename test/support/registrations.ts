/** Delegates as a manager registers them, for tests. */
import { instant } from '../../src/model/instant.ts';
import { tenantName, versionName } from '../../src/model/names.ts';
import type { DelegateId, DelegateRegistration, ManagerId } from '../../src/model/workflow.ts';

/** A delegate of a tenant on a version, heard of at `lastSeen`. */
export function aRegistration(
  delegate: string,
  wanted: { readonly tenant: string; readonly version: string; readonly lastSeen?: number },
): DelegateRegistration {
  const { tenant, version, lastSeen = 1_000_000 } = wanted;
  return {
    delegate: delegate as DelegateId,
    tenant: tenantName(tenant),
    version: versionName(version),
    tags: ['linux'],
    capacity: 4,
    running: 1,
    manager: 'manager-1' as ManagerId,
    since: instant(1),
    lastSeen: instant(lastSeen),
  };
}
