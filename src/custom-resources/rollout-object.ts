/** A rollout as an object: what it is, and how far. */

import type { KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { rolloutName } from '../adapters/kubernetes/names.ts';
import type { Instant } from '../model/instant.ts';
import { isOpen, type RolloutRecord, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { weightOf } from '../routing/table.ts';
import { type Condition, conditionsOf, openStanding, type Standing, timed } from './conditions.ts';

/** The fields of the custom resource; its schema describes them. */
export interface RolloutStatus {
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly state: string;
  readonly step: string;
  readonly weight: number;
  readonly attempt: number;
  readonly delegates?: string;
  readonly primaryServiceGaps?: readonly {
    readonly name: string;
    readonly routes: string;
    readonly service?: string;
    readonly from: string;
    readonly until?: string;
  }[];
  readonly message: string;
  readonly since: string;
  readonly endedAt?: string;
}

export interface RolloutObject extends KubernetesObject {
  readonly spec: {
    readonly id: string;
    readonly service: string;
    readonly version: string;
    readonly baseline: string;
    readonly startedBy: string;
    readonly reason: string;
    readonly startedAt: string;
  };
  readonly status?: RolloutStatus;
}

/** Its name and spec, which stay as they are. */
export function rolloutObject(
  rollout: RolloutRecord,
): Pick<RolloutObject, 'spec'> & { readonly name: string } {
  const { id, service, version, baseline, startedBy, reason, startedAt } = rollout;
  return {
    name: rolloutName(rollout),
    spec: { id, service, version, baseline, startedBy, reason, startedAt: timeOf(startedAt) },
  };
}

export function rolloutStatus(
  rollout: RolloutRecord,
  about: {
    readonly service: ServiceRecord;
    readonly generation: number;
    readonly now: Instant;
    readonly before: readonly Condition[];
  },
): RolloutStatus {
  const { state, step, attempt, because, since, delegates, endedAt, version } = rollout;
  const { primaryServiceGaps: gaps } = rollout;
  const { service, generation, now, before } = about;
  return {
    observedGeneration: generation,
    conditions: timed(conditionsOf(standingOf(rollout)), { generation, now, before }),
    state,
    step: stepName(step),
    weight: weightOf(service.traffic, version),
    attempt,
    ...(delegates === undefined ? {} : { delegates: `${delegates.ready}/${delegates.expected}` }),
    ...(gaps === undefined
      ? {}
      : {
          primaryServiceGaps: gaps.map(({ from, until, ...gap }) => ({
            ...gap,
            from: timeOf(from),
            ...(until === undefined ? {} : { until: timeOf(until) }),
          })),
        }),
    message: because,
    since: timeOf(since),
    ...(endedAt === undefined ? {} : { endedAt: timeOf(endedAt) }),
  };
}

function standingOf(rollout: RolloutRecord): Standing {
  const { state, because, version } = rollout;
  if (isOpen(state)) return openStanding(rollout);
  const message = because === '' ? `${version} is ${state}` : because;
  return { kind: state === 'Succeeded' ? 'Ready' : 'Stalled', reason: state, message };
}

function timeOf(at: Instant): string {
  return new Date(at).toISOString();
}
