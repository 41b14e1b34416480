/** Watchers for tests: who they are, what they say, and as they are stored. */
import type {
  BoxVersion,
  BoxVersionState,
  WatcherIdentity,
  WatcherReport,
} from '../../src/model/goal-state.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, tenantName, versionName } from '../../src/model/names.ts';
import type { DelegateId } from '../../src/model/workflow.ts';
import type { WatcherSeen } from '../../src/ports/store.ts';

export function boxId(id: string): DelegateId {
  return id as DelegateId;
}

export interface BoxWanted {
  readonly id?: string;
  readonly service?: string;
  readonly tenant?: string;
  readonly group?: string;
  readonly maxVersions?: number;
}

export function watcherIdentity(wanted: BoxWanted = {}): WatcherIdentity {
  return {
    id: boxId(wanted.id ?? 'box-1'),
    service: serviceName(wanted.service ?? 'manager'),
    tenant: tenantName(wanted.tenant ?? 'acme'),
    group: wanted.group ?? 'default',
    tags: ['linux'],
    maxVersions: wanted.maxVersions ?? 3,
    release: '0.3.0',
  };
}

export function boxVersion(version: string, state: BoxVersionState, reason = ''): BoxVersion {
  return { version: versionName(version), state, reason, since: instant(1_000), restarts: 0 };
}

/** A report of a box that has applied a generation and runs versions. */
export function watcherReport(
  applied: number,
  versions: Readonly<Record<string, BoxVersionState>> = {},
): WatcherReport {
  return {
    seen: applied,
    applied,
    refusal: '',
    versions: Object.entries(versions).map(([version, state]) => boxVersion(version, state)),
    diskFree: 1_000_000,
  };
}

export function watcherSeen(wanted: BoxWanted & { readonly lastSeen?: number } = {}): WatcherSeen {
  return {
    identity: watcherIdentity(wanted),
    report: watcherReport(1, { v1: 'Ready' }),
    lastSeen: instant(wanted.lastSeen ?? 1_000),
  };
}
