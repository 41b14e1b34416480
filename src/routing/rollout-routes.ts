/**
 * What a rollout adds to the routes of its service: the cohort that reaches the candidate ahead of default traffic, and
 * the copies that the candidate gets. Both end with the flip, with the rollout, and where the traffic is no longer as the
 * rollout left it; both need a candidate that can answer.
 */
import type { VersionName } from '../model/names.ts';
import { isOpen, type RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { RoutedCohort, RoutedMirror, RoutedVersion } from '../model/table.ts';
import { compareText } from './compare.ts';

/** The cohort of the service, if there is one now. */
export function cohortOf(
  record: ServiceRecord,
  versions: readonly RoutedVersion[],
): RoutedCohort | undefined {
  const rollout = underWay(record, versions);
  const cohort = rollout?.policy.traffic.cohort;
  if (rollout === undefined || cohort === undefined || !isAhead(rollout)) return undefined;
  return {
    version: rollout.version,
    tenants: cohort.tenants.toSorted(compareText),
    headers: cohort.headers.toSorted(
      (left, right) => compareText(left.name, right.name) || compareText(left.value, right.value),
    ),
  };
}

/** Which requests of the service are copied now, if any. */
export function mirrorOf(
  record: ServiceRecord,
  versions: readonly RoutedVersion[],
): RoutedMirror | undefined {
  const rollout = underWay(record, versions);
  const mirror = rollout?.policy.traffic.mirror;
  if (rollout === undefined || mirror === undefined) return undefined;
  if (rollout.step.kind !== 'Verify' && !isAhead(rollout)) return undefined;
  return {
    version: rollout.version,
    percent: mirror.percent,
    methods: mirror.methods.toSorted(compareText),
    grpcMethods: mirror.grpcMethods.toSorted(compareText),
  };
}

/** The version that has a cluster for copies: for as long as the rollout is remembered, so that no step changes a cluster. */
export function takerOfCopies({ rollout }: ServiceRecord): VersionName | undefined {
  return rollout?.policy.traffic.mirror === undefined ? undefined : rollout.version;
}

/** Whether the step gives the candidate traffic. That the flip has not happened yet is seen in the traffic itself. */
function isAhead({ step }: RolloutRecord): boolean {
  return step.kind === 'Cohort' || step.kind === 'Shift';
}

/** The rollout, where it goes on, the traffic is as it left it, and its candidate can answer. */
function underWay(record: ServiceRecord, versions: readonly RoutedVersion[]): RolloutRecord | undefined {
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state) || !isOnItsWay(record, rollout)) return undefined;
  const candidate = versions.find(({ version }) => version === rollout.version);
  const canAnswer = candidate?.access === 'Open' && candidate.endpoints.length > 0;
  return canAnswer ? rollout : undefined;
}

/**
 * Whether default traffic is where the rollout expects it: on the baseline, or between it and the candidate. An operator
 * who moved all of it back by hand has taken the cohort back too.
 */
function isOnItsWay(
  { traffic }: ServiceRecord,
  { version, baseline, state, stateReason }: RolloutRecord,
): boolean {
  switch (traffic.kind) {
    case 'none':
      return false;
    case 'steady':
      return traffic.primary === baseline && !(state === 'Paused' && stateReason === 'OperatorOverride');
    case 'shifting':
      return traffic.primary === baseline && traffic.candidate === version;
  }
}
