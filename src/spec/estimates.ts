/**
 * Two figures that a spec promises before anything runs: the shortest time in which a rollout can succeed, and the
 * longest from a fault to the traffic moved back. Flagger's users compute them by hand; `lint` and `apply --dry-run`
 * print them.
 */
import type { Milliseconds } from '../model/instant.ts';
import type { RolloutPolicy } from '../model/rollout.ts';
import { formatDuration } from './duration.ts';
import { decidingChecks, detectionTime, gateTime, occurs, shiftTime, waveWaits } from './gate-times.ts';

/** What proxies may need to follow a flip: they need milliseconds (docs/performance.md); this leaves room. */
export const FLIP_TIME: Milliseconds = 1_000;

export interface RolloutEstimate {
  /** From instances that are ready to Succeeded, where every check passes and nobody waits. */
  readonly shortestSuccess: Milliseconds;
  /** Whether an operator must promote on the way, which takes as long as it takes. */
  readonly waitsForOperator: boolean;
  readonly hasWindows: boolean;
  /** Whether delegates must come to the candidate on the way, which takes as long as their boxes and networks need. */
  readonly waitsForDelegates: boolean;
  /** Absent: nothing moves traffic back by itself. */
  readonly rollback?: {
    /** From a fault that breaks the limit of a single check to the last proxy that follows the flip back. */
    readonly longest: Milliseconds;
    /** The check that is the slowest to see its fault. */
    readonly check: string;
    /** It only compares: how soon it sees a fault depends on the traffic; `longest` is where there is plenty. */
    readonly dependsOnTraffic: boolean;
  };
}

/** The figures of a rollout by this policy; a spec holds one. */
export function estimateRollout(policy: RolloutPolicy): RolloutEstimate {
  const { traffic, verification, delegates } = policy;
  const rollback = slowestCheck(policy);
  return {
    shortestSuccess:
      waveWaits(delegates) +
      gateTime(verification, 'Verify') +
      shiftTime(traffic, verification) +
      (verification?.soak ?? 0),
    waitsForOperator: traffic.promotion === 'Manual' || traffic.approvals.length > 0,
    hasWindows:
      traffic.windows.length > 0 || delegates?.waves.some(({ windows }) => windows.length > 0) === true,
    waitsForDelegates: delegates !== undefined && delegates.source.kind !== 'none',
    ...(rollback && { rollback }),
  };
}

/** Only a critical check ends a rollout at once. One that does not measure during the shift sees its faults afterwards. */
function slowestCheck(policy: RolloutPolicy): RolloutEstimate['rollback'] {
  const { traffic, verification } = policy;
  if (verification === undefined) return undefined;
  const guards = (['Shift', 'Soak'] as const)
    .filter((step) => occurs(policy, step))
    .flatMap((step) => decidingChecks(verification, step))
    .filter(({ critical }) => critical);
  const seen = guards.map((check) => {
    const unseen = check.at.includes('Shift') ? 0 : shiftTime(traffic, verification);
    return {
      check: check.name,
      dependsOnTraffic: check.condition.limit === undefined && check.condition.comparison !== undefined,
      longest: detectionTime(check, verification) + unseen + FLIP_TIME,
    };
  });
  return seen.toSorted((one, other) => other.longest - one.longest)[0];
}

/** The figures in words, one sentence each. */
export function describeEstimate(estimate: RolloutEstimate): readonly [success: string, rollback: string] {
  const { shortestSuccess, waitsForOperator, waitsForDelegates, hasWindows, rollback } = estimate;
  const waits = [
    ...(waitsForDelegates ? ['the time until its delegates are registered'] : []),
    ...(waitsForOperator ? ['the time until an operator promotes'] : []),
    ...(hasWindows ? ['the time outside of its windows'] : []),
  ];
  const more = waits.length === 0 ? '' : `, and ${waits.join(' and ')}`;
  const success = `shortest time to success: ${formatDuration(shortestSuccess)} after the instances are ready${more}`;
  if (rollback === undefined)
    return [
      success,
      'longest time to rollback: none is made, since no critical check measures while traffic moves',
    ];
  const traffic = rollback.dependsOnTraffic ? ', where there is traffic enough to compare' : '';
  return [
    success,
    `longest time to rollback: ${formatDuration(rollback.longest)} after a fault that check ${rollback.check} can see${traffic}`,
  ];
}
