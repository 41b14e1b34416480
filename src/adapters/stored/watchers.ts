/** The shape in which a watcher is kept: who it is, what it said last of its box, and when it was last seen. */
import {
  BOX_VERSION_STATES,
  type BoxVersion,
  type WatcherIdentity,
  type WatcherReport,
} from '../../model/goal-state.ts';
import type { DelegateId } from '../../model/workflow.ts';
import type { WatcherSeen } from '../../ports/store.ts';
import { count, list, object, oneOf, optional, parsed, type Shape, text } from './shape.ts';
import { storedInstant, storedServiceName, storedTenantName, storedVersionName } from './simple.ts';

/** Ids of boxes are kept as they were made. */
export const storedDelegateId: Shape<DelegateId> = parsed(text, (id) => id as DelegateId);

const identity: Shape<WatcherIdentity> = object<WatcherIdentity>({
  id: storedDelegateId,
  service: storedServiceName,
  tenant: storedTenantName,
  group: text,
  tags: list(text),
  maxVersions: count,
  release: text,
});

const boxVersion: Shape<BoxVersion> = object<BoxVersion>({
  version: storedVersionName,
  state: oneOf(...BOX_VERSION_STATES),
  reason: text,
  since: storedInstant,
  openTasks: optional(count),
  restarts: count,
});

const report: Shape<WatcherReport> = object<WatcherReport>({
  seen: count,
  applied: count,
  refusal: text,
  versions: list(boxVersion),
  diskFree: count,
  windowOpens: optional(storedInstant),
});

/** Reads a stored watcher. */
export const storedWatcher: Shape<WatcherSeen> = object<WatcherSeen>({
  identity,
  report,
  lastSeen: storedInstant,
});
