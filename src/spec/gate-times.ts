/**
 * How long the checks of a spec take, and how late they see a fault, from the spec alone: sums of intervals, delays,
 * scrapes and timeouts. Pure arithmetic for lint.ts and estimates.ts.
 */
import type { Check, CheckedStep } from '../model/check.ts';
import { answersByItself, asksPrometheus } from '../model/check.ts';
import type { DelegatesSpec } from '../model/delegates.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { RolloutPolicy } from '../model/rollout.ts';
import type { TrafficSpec, VerificationSpec } from '../model/spec.ts';

/** The checks that have a say at a step. */
export function decidingChecks(
  verification: VerificationSpec | undefined,
  step: CheckedStep,
): readonly Check[] {
  return (verification?.checks ?? []).filter(({ dryRun, at }) => !dryRun && at.includes(step));
}

/** Whether a rollout of the service passes a step of this kind. */
export function occurs({ traffic, verification }: RolloutPolicy, step: CheckedStep): boolean {
  switch (step) {
    case 'Verify':
      return true;
    case 'Shift':
      return traffic.cohort !== undefined || traffic.steps.length > 1;
    case 'Soak':
      return verification !== undefined && verification.soak > 0;
  }
}

/** What passes before samples of a step are in Prometheus: its windows begin one scrape after its routes are everywhere. */
function scrapeDelay({ metric }: Check, { prometheus }: VerificationSpec): Milliseconds {
  return asksPrometheus(metric) ? (prometheus?.scrapeInterval ?? 0) : 0;
}

/** From the beginning of a step to the check's first result, at the earliest. A window must be full; a probe waits for none. */
export function firstResult(check: Check, verification: VerificationSpec): Milliseconds {
  const window = answersByItself(check.metric) ? 0 : check.interval;
  return scrapeDelay(check, verification) + check.initialDelay + window;
}

/** From the beginning of a step to the check's last result, at the earliest. */
export function lastResult(check: Check, verification: VerificationSpec): Milliseconds {
  return firstResult(check, verification) + (check.count - 1) * check.interval;
}

/** How long the gate of a step takes at least: as long as its slowest check. */
export function gateTime(verification: VerificationSpec | undefined, step: CheckedStep): Milliseconds {
  if (verification === undefined) return 0;
  return Math.max(0, ...decidingChecks(verification, step).map((check) => lastResult(check, verification)));
}

/** How long a step below 100 lasts at least. */
function stepTime(traffic: TrafficSpec, verification: VerificationSpec | undefined): Milliseconds {
  return Math.max(traffic.stepDuration, gateTime(verification, 'Shift'));
}

/** How long the cohort and all steps below 100 last at least. */
export function shiftTime(traffic: TrafficSpec, verification: VerificationSpec | undefined): Milliseconds {
  const steps = traffic.steps.length - 1 + (traffic.cohort === undefined ? 0 : 1);
  return steps * stepTime(traffic, verification);
}

/** How long the waves of delegates wait for each other at least, beside the time that their boxes need. */
export function waveWaits(delegates: DelegatesSpec | undefined): Milliseconds {
  return (delegates?.waves ?? []).reduce((sum, { wait }) => sum + wait, 0);
}

/** Results that a check gets within a soak. */
export function looksInSoak(check: Check, verification: VerificationSpec): number {
  const rest = verification.soak - firstResult(check, verification);
  return rest < 0 ? 0 : Math.floor(rest / check.interval) + 1;
}

/**
 * The longest time from a fault to the check's failure while it measures, where the fault breaks its limit by itself and
 * a measurement is answered within the timeout. The next measurement is due an interval after the last answer. The fault
 * may begin within a window and be too diluted there, or at the end of a step, so that the next step's first result
 * shows it; its last sample may be one scrape late.
 */
export function detectionTime(check: Check, verification: VerificationSpec): Milliseconds {
  const timeout = timeoutOf(check, verification);
  const round = check.interval + timeout;
  const diluted = answersByItself(check.metric) ? 0 : round;
  const failures = (check.failureLimit + 1) * round;
  return scrapeDelay(check, verification) + check.initialDelay + diluted + failures + timeout;
}

function timeoutOf({ metric }: Check, { prometheus }: VerificationSpec): Milliseconds {
  if ('timeout' in metric) return metric.timeout;
  return asksPrometheus(metric) ? (prometheus?.timeout ?? 0) : 0;
}
