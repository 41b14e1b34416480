/** Rollouts as messages of the admin API. Pure, like views.ts. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  ReplayResponseSchema,
  VerifyResponseSchema,
} from '../gen/switchyard/admin/v1/rollout_calls_pb.js';
import type {
  OpenWorkViewSchema,
  RolloutSchema,
  RolloutStepSchema,
  RolloutViewSchema,
} from '../gen/switchyard/admin/v1/rollouts_pb.js';
import type { AuditEvent } from '../model/audit.ts';
import type { Instant } from '../model/instant.ts';
import { type RolloutRecord, type RolloutStep, stepName } from '../model/rollout.ts';
import type { OpenWorkView, ReplayOutcome, RolloutView, VerifyOutcome } from '../operations/rollout-types.ts';
import type { VersionView } from '../operations/types.ts';
import { DRAIN_CERTIFICATE, ROLLOUT_STATE, ROLLOUT_STEP, STEP_PROGRESS } from './enums.ts';
import { eventToMessage, freezeToMessage, versionToMessage, workSplitToMessage } from './views.ts';
import { parityToMessage } from './views-delegates.ts';
import {
  checkRunToMessage,
  checkToMessage,
  measurementToMessage,
  verdictToMessage,
} from './views-measurements.ts';

export function rolloutToMessage(record: RolloutRecord): MessageInitShape<typeof RolloutSchema> {
  const {
    policy: _,
    step,
    startedAt,
    since,
    stepSince,
    stepEverywhere,
    movedBackAt,
    endedAt,
    rollFixedAt: _fixed,
    delegates,
    primaryServiceGaps = [],
    ...same
  } = record;
  return {
    ...same,
    group: [...record.group],
    promoted: [...record.promoted],
    keeps: [...record.keeps],
    fullyPromotedBy: record.fullyPromotedBy ?? '',
    state: ROLLOUT_STATE[record.state],
    step: stepToMessage(step),
    startedAt: timestampFromMs(startedAt),
    since: timestampFromMs(since),
    stepSince: timestampFromMs(stepSince),
    ...stamp('stepEverywhere', stepEverywhere),
    ...stamp('movedBackAt', movedBackAt),
    ...stamp('endedAt', endedAt),
    ...(delegates && { delegates: { ...delegates, at: timestampFromMs(delegates.at) } }),
    primaryServiceGaps: primaryServiceGaps.map(({ from, until, ...gap }) => ({
      ...gap,
      from: timestampFromMs(from),
      ...stamp('until', until),
    })),
  };
}

function stamp(field: string, at: Instant | undefined) {
  return at === undefined ? {} : { [field]: timestampFromMs(at) };
}

function stepToMessage(step: RolloutStep): MessageInitShape<typeof RolloutStepSchema> {
  return {
    kind: ROLLOUT_STEP[step.kind],
    name: stepName(step),
    weight: step.kind === 'Shift' ? step.weight : 0,
  };
}

/** What a view of a rollout is made of beside the view itself. */
export interface RolloutFacts {
  readonly view: RolloutView;
  readonly versions: readonly VersionView[];
  /** Oldest first. */
  readonly decisions: readonly AuditEvent[];
}

export function rolloutViewToMessage(facts: RolloutFacts): MessageInitShape<typeof RolloutViewSchema> {
  const { view, versions, decisions } = facts;
  const { record, actualWeight, verdict, delegates, freeze, wayBack } = view;
  return {
    rollout: rolloutToMessage(record),
    steps: view.steps.map(({ step, progress }) => ({
      step: stepToMessage(step),
      progress: STEP_PROGRESS[progress],
    })),
    setWeight: view.setWeight,
    ...(actualWeight && {
      actualWeight: { percent: actualWeight.percent, requests: BigInt(actualWeight.requests) },
    }),
    checks: view.checks.map(({ check, run }) => ({
      check: checkToMessage(check),
      run: checkRunToMessage(run),
    })),
    ...(verdict && { verdict: verdictToMessage(verdict) }),
    waitsFor: [...view.waitsFor],
    versions: versions.map((version) => versionToMessage(record.service, version)),
    openWork: view.openWork.map(openWorkViewToMessage),
    wayBack: {
      isReady: wayBack.isReady,
      to: wayBack.to ?? '',
      readyEndpoints: wayBack.readyEndpoints,
      problems: [...wayBack.problems],
    },
    ...(delegates && { delegates: parityToMessage(delegates) }),
    ...(freeze && { freeze: freezeToMessage(freeze) }),
    decisions: decisions.map(eventToMessage),
  };
}

function openWorkViewToMessage(work: OpenWorkView): MessageInitShape<typeof OpenWorkViewSchema> {
  const { version, open, problem, expectedDrained, certificate, split } = work;
  return {
    version,
    problem,
    ...(open !== undefined && { open: BigInt(open) }),
    ...stamp('expectedDrained', expectedDrained),
    ...(certificate && { certificate: DRAIN_CERTIFICATE[certificate] }),
    ...(split && { split: workSplitToMessage(split) }),
  };
}

export function verifyOutcomeToMessage(
  outcome: VerifyOutcome,
): MessageInitShape<typeof VerifyResponseSchema> {
  return {
    version: outcome.version,
    baseline: outcome.baseline ?? '',
    checks: outcome.checks.map(({ check, measurement }) => ({
      check: checkToMessage(check),
      measurement: measurementToMessage(measurement),
    })),
    verdict: verdictToMessage(outcome.verdict),
  };
}

export function replayOutcomeToMessage(
  outcome: ReplayOutcome,
): MessageInitShape<typeof ReplayResponseSchema> {
  return {
    rollout: rolloutToMessage(outcome.rollout),
    message: outcome.message,
    steps: outcome.steps.map(({ step, attempt, decided, wouldDecide, at, checks, unmeasured }) => ({
      step,
      attempt,
      decided: verdictToMessage(decided),
      wouldDecide: verdictToMessage(wouldDecide),
      ...stamp('at', at),
      checks: checks.map(checkRunToMessage),
      unmeasured: [...unmeasured],
    })),
  };
}
