/** The shapes in which a service's artifacts, its generations of goal states and its waves are kept. */
import type { Artifact } from '../../model/goal-state.ts';
import {
  type BoxRetry,
  type Decommission,
  type DelegatesRecord,
  type ForeignGenerations,
  type Generation,
  type GenerationVersion,
  GOAL_ROLES,
  type PastGeneration,
  WAVE_PHASES,
  type WaveHalt,
  type WaveOrder,
  type WavesRecord,
} from '../../model/waves.ts';
import { storedWave } from './delegates.ts';
import { storedRolloutId } from './rollout.ts';
import { count, list, number, object, oneOf, optional, type Shape, text, truth } from './shape.ts';
import { storedInstant, storedServiceName, storedVersionName } from './simple.ts';
import { storedDelegateId } from './watchers.ts';

/** Reads a stored Artifact. */
export const storedArtifact: Shape<Artifact> = object<Artifact>({
  service: storedServiceName,
  version: storedVersionName,
  url: text,
  sha256: text,
  size: count,
  signature: text,
  command: list(text),
});

const halt: Shape<WaveHalt> = object<WaveHalt>({
  reason: oneOf('CanaryFailed', 'TooManyFailed', 'Operator'),
  because: text,
  since: storedInstant,
});

const order: Shape<WaveOrder> = object<WaveOrder>({
  kind: oneOf('Resume', 'Skip'),
  by: text,
  reason: text,
  at: storedInstant,
});

const waves: Shape<WavesRecord> = object<WavesRecord>({
  rollout: storedRolloutId,
  candidate: storedVersionName,
  waves: list(storedWave),
  wave: count,
  phase: oneOf(...WAVE_PHASES),
  since: storedInstant,
  admittedTo: number,
  admitted: count,
  forgiven: object({ here: count, before: count }),
  hasSucceeded: optional(truth),
  halt: optional(halt),
  order: optional(order),
});

const generationVersion: Shape<GenerationVersion> = object<GenerationVersion>({
  version: storedVersionName,
  artifact: text,
  role: oneOf(...GOAL_ROLES),
  attempt: optional(count),
  admission: optional(object({ rollout: storedRolloutId, wave: count, admittedTo: number })),
});

const generation: Shape<Generation> = object<Generation>({
  generation: count,
  at: storedInstant,
  because: text,
  versions: list(generationVersion),
  decommissioned: list(storedDelegateId),
});

const past: Shape<PastGeneration> = object<PastGeneration>({
  generation: count,
  at: storedInstant,
  because: text,
  versions: list(storedVersionName),
});

const decommission: Shape<Decommission> = object<Decommission>({
  delegate: storedDelegateId,
  by: text,
  reason: text,
  since: storedInstant,
});

const retry: Shape<BoxRetry> = object<BoxRetry>({
  version: storedVersionName,
  attempt: count,
  by: text,
  reason: text,
  at: storedInstant,
});

/** Reads a stored DelegatesRecord. */
export const storedDelegatesRecord: Shape<DelegatesRecord> = object<DelegatesRecord>({
  current: generation,
  past: list(past),
  waves: list(waves),
  decommissions: list(decommission),
  retries: optional(list(retry)),
  foreign: optional(list(object<ForeignGenerations>({ above: count, upTo: count }))),
});
