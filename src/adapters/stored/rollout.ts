/** The shape in which a rollout is kept: where it is, why, and the policy that it began with. */

import type { PrimaryServiceGap } from '../../model/primary-service.ts';
import {
  type DelegateCounts,
  type Freeze,
  ROLLOUT_STATES,
  type RolloutId,
  type RolloutPolicy,
  type RolloutRecord,
  type RolloutStep,
  type StepName,
} from '../../model/rollout.ts';
import { storedDelegates } from './delegates.ts';
import {
  count,
  length,
  list,
  object,
  oneOf,
  optional,
  parsed,
  type Shape,
  tagged,
  text,
  truth,
} from './shape.ts';
import { storedInstant, storedServiceName, storedVersionName } from './simple.ts';
import { storedTraffic } from './traffic-spec.ts';
import { storedVerification } from './verification.ts';

/** Ids and step names are kept as they were made. */
export const storedRolloutId: Shape<RolloutId> = parsed(text, (id) => id as RolloutId);
export const storedStepName: Shape<StepName> = parsed(text, (name) => name as StepName);

const step: Shape<RolloutStep> = tagged<RolloutStep>({
  Deploy: {},
  Register: {},
  Verify: {},
  Cohort: {},
  Shift: { index: count, weight: length },
  Soak: {},
});

const policy: Shape<RolloutPolicy> = object<RolloutPolicy>({
  traffic: storedTraffic,
  verification: optional(storedVerification),
  delegates: optional(storedDelegates),
});

const primaryServiceGap: Shape<PrimaryServiceGap> = object<PrimaryServiceGap>({
  name: text,
  routes: storedVersionName,
  service: optional(storedVersionName),
  from: storedInstant,
  until: optional(storedInstant),
});

/** Reads a stored rollout. */
export const storedRollout: Shape<RolloutRecord> = object<RolloutRecord>({
  id: storedRolloutId,
  service: storedServiceName,
  version: storedVersionName,
  baseline: storedVersionName,
  policy,
  startedAt: storedInstant,
  startedBy: text,
  reason: text,
  urgent: truth,
  keeps: list(storedVersionName),
  group: list(storedServiceName),
  attempt: count,
  state: oneOf(...ROLLOUT_STATES),
  stateReason: text,
  because: text,
  since: storedInstant,
  step,
  stepSince: storedInstant,
  stepEverywhere: optional(storedInstant),
  rollFixedAt: optional(storedInstant),
  delegates: optional(object<DelegateCounts>({ ready: count, expected: count, at: storedInstant })),
  mixedFor: optional(length),
  primaryServiceGaps: optional(list(primaryServiceGap)),
  promoted: list(storedStepName),
  fullyPromotedBy: optional(text),
  movedBackAt: optional(storedInstant),
  endedAt: optional(storedInstant),
});

/** Reads a stored freeze. */
export const storedFreeze: Shape<Freeze> = object<Freeze>({
  reason: text,
  by: text,
  since: storedInstant,
  until: optional(storedInstant),
});
