/**
 * The checks that guard a rollout's present step and how each stands: pure, from the rollout and what was measured. A
 * step that is judged afresh (another attempt) has none of the measurements before.
 */
import { asksPrometheus, type Check } from '../model/check.ts';
import { after, type Instant } from '../model/instant.ts';
import type { CheckRun, Measurement, Verdict } from '../model/measurement.ts';
import { type RolloutRecord, stepName } from '../model/rollout.ts';
import { checkedStepOf } from '../rollout/steps.ts';
import { checkRun } from '../verification/check-run.ts';
import { gateVerdict } from '../verification/gate.ts';

/** A check with how it stands. */
export interface GuardRun {
  readonly check: Check;
  readonly run: CheckRun;
}

/** How each check of the present step stands; none where no check guards it. */
export function guardRuns(
  rollout: RolloutRecord,
  measurements: readonly Measurement[],
  now: Instant,
): readonly GuardRun[] {
  const step = checkedStepOf(rollout.step);
  if (step === undefined) return [];
  return guardsOf(rollout).map((check) => ({
    check,
    run: checkRun({
      check,
      step,
      measurements: measurementsOf(rollout, check, measurements),
      now,
      ...windowOf(rollout, check),
    }),
  }));
}

/** The measurements of a check in the present step of the present attempt. */
export function measurementsOf(
  rollout: RolloutRecord,
  check: Check,
  all: readonly Measurement[],
): readonly Measurement[] {
  const step = stepName(rollout.step);
  return all.filter(
    (made) =>
      made.rollout === rollout.id &&
      made.check === check.name &&
      made.attempt === rollout.attempt &&
      made.step === step,
  );
}

/** What the checks of the present step add up to; undefined where none guards it. */
export function verdictOf(rollout: RolloutRecord, runs: readonly GuardRun[]): Verdict | undefined {
  const { verification } = rollout.policy;
  if (verification === undefined || runs.length === 0) return undefined;
  const { passScore, marginalScore } = verification;
  return gateVerdict({
    checks: runs.map(({ check }) => check),
    runs: runs.map(({ run }) => run),
    passScore,
    marginalScore,
  });
}

/** The checks of the policy that guard the present step; an urgent rollout does not wait for their delays. */
export function guardsOf({ policy, step, urgent }: RolloutRecord): readonly Check[] {
  const kind = checkedStepOf(step);
  const checks = policy.verification?.checks ?? [];
  const guards = kind === undefined ? [] : checks.filter(({ at }) => at.includes(kind));
  return urgent ? guards.map((check) => ({ ...check, initialDelay: 0 })) : guards;
}

/** Windows of what Prometheus scrapes begin a scrape after the step is everywhere, so that no older request counts. */
export function windowOf(
  rollout: RolloutRecord,
  check: Check,
): { readonly windowFrom?: Instant; readonly until?: Instant } {
  const { stepEverywhere, policy, step } = rollout;
  if (stepEverywhere === undefined) return {};
  const scrape = asksPrometheus(check.metric) ? (policy.verification?.prometheus?.scrapeInterval ?? 0) : 0;
  const windowFrom = after(stepEverywhere, scrape);
  if (step.kind !== 'Soak') return { windowFrom };
  return { windowFrom, until: after(stepEverywhere, policy.verification?.soak ?? 0) };
}
