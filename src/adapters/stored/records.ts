/** The shapes of everything that a store keeps: service records, audit events and proxies. */
import type { AuditEvent } from '../../model/audit.ts';
import {
  type Hold,
  type Retirement,
  type ServiceRecord,
  type Traffic,
  VERSION_STATES,
  type VersionMark,
  type VersionRecord,
} from '../../model/state.ts';
import type { ProxySeen } from '../../ports/store.ts';
import { storedArtifact, storedDelegatesRecord } from './goal-states.ts';
import { storedFreeze, storedRollout, storedRolloutId } from './rollout.ts';
import { count, length, list, object, oneOf, optional, type Shape, tagged, text, truth } from './shape.ts';
import { storedInstant, storedServiceName, storedTenantName, storedVersionName } from './simple.ts';
import { storedSpec } from './spec.ts';

const mark: Shape<VersionMark> = object<VersionMark>({
  kind: oneOf('Abandoned', 'Quarantined'),
  reason: text,
  by: text,
  since: storedInstant,
});

const retirement: Shape<Retirement> = object<Retirement>({
  step: oneOf('LeavingGoalStates', 'Refusing', 'RemovingCluster', 'StoppingInstances'),
  since: storedInstant,
  waiveStragglers: truth,
});

const version: Shape<VersionRecord> = object<VersionRecord>({
  name: storedVersionName,
  state: oneOf(...VERSION_STATES),
  reason: text,
  since: storedInstant,
  mark: optional(mark),
  fenced: truth,
  fenceAtOnce: optional(truth),
  certificate: optional(oneOf('atomic', 'observed')),
  lastPrimary: optional(storedInstant),
  teardown: optional(object({ since: storedInstant, because: text })),
  retirement: optional(retirement),
});

const traffic: Shape<Traffic> = tagged<Traffic>({
  none: {},
  steady: { primary: storedVersionName, previous: optional(storedVersionName) },
  shifting: {
    primary: storedVersionName,
    previous: optional(storedVersionName),
    candidate: storedVersionName,
    weight: length,
    salt: text,
  },
});

const hold: Shape<Hold> = object<Hold>({
  tenant: storedTenantName,
  version: storedVersionName,
  reason: text,
  by: text,
  since: storedInstant,
  expires: storedInstant,
  heldBackBy: optional(storedRolloutId),
});

/** Reads a stored service record. */
export const storedService: Shape<ServiceRecord> = object<ServiceRecord>({
  name: storedServiceName,
  spec: storedSpec,
  document: text,
  generation: count,
  traffic,
  versions: list(version),
  holds: list(hold),
  rollout: optional(storedRollout),
  freeze: optional(storedFreeze),
  delegates: optional(storedDelegatesRecord),
  artifacts: optional(list(storedArtifact)),
});

/** Reads a stored audit event. */
export const storedEvent: Shape<AuditEvent> = object<AuditEvent>({
  sequence: count,
  at: storedInstant,
  actor: text,
  action: text,
  service: optional(storedServiceName),
  reason: text,
  message: text,
  before: text,
  after: text,
});

/** Reads a stored proxy. */
export const storedProxy: Shape<ProxySeen> = object<ProxySeen>({
  id: text,
  kind: oneOf('envoy', 'grpc'),
  lastSeen: storedInstant,
  publication: count,
});
