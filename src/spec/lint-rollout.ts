/** What is wrong with a rollout as a whole: nothing that verifies it, times that do not fit, traffic that nobody looks at. */
import { ROLLOUT_STATES } from '../model/rollout.ts';
import type { MirrorSpec, VersionedService } from '../model/spec.ts';
import { isOfTraffic } from './check-facts.ts';
import { formatDuration } from './duration.ts';
import { decidingChecks, firstResult, gateTime, lastResult, occurs, shiftTime } from './gate-times.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { didYouMean } from './suggest.ts';
import { holdsCredentials } from './url.ts';

/** The findings of traffic, verification, retention and notifications. */
export function lintRollout(service: VersionedService): readonly Finding[] {
  return [
    ...ofGuards(service),
    ...ofDeadline(service),
    ...ofStepDuration(service),
    ...ofSoak(service),
    ...ofWindows(service),
    ...ofApprovals(service),
    ...ofVerifyTraffic(service),
    ...ofMirror(service),
    ...ofCohort(service),
    ...ofAccessLog(service),
    ...ofRetention(service),
    ...ofAddresses(service),
    ...ofActions(service),
  ];
}

/** Whether anything could stop a bad version. */
function ofGuards(service: VersionedService): readonly Finding[] {
  const { traffic, verification } = service;
  const isAutomatic = traffic.promotion === 'Automatic';
  if (verification === undefined)
    return [
      isAutomatic
        ? warning(
            'spec.traffic.promotion',
            'Automatic: traffic moves by itself, and nothing verifies the version; write verification',
          )
        : warning(
            'spec',
            'nothing verifies a version: an operator promotes every step and must see faults himself; write verification',
          ),
    ];
  const { checks } = verification;
  if (checks.every(({ dryRun }) => dryRun)) {
    const what = checks.length === 0 ? 'has no check' : 'has dry runs only';
    return [
      warning(
        'spec.verification',
        `${what}: nothing verifies a version; ${checks.length === 0 ? 'add checks' : 'one check must decide'}`,
      ),
    ];
  }
  const isWatched = (['Shift', 'Soak'] as const).some(
    (step) => occurs(service, step) && decidingChecks(verification, step).some(({ critical }) => critical),
  );
  return when(!isWatched, () =>
    warning(
      'spec.verification',
      'no critical check measures once the version gets default traffic: nothing moves it back by itself; add one at Shift or Soak',
    ),
  );
}

/** A gate that cannot be done in time. */
function ofDeadline(service: VersionedService): readonly Finding[] {
  const { traffic, verification } = service;
  if (verification === undefined) return [];
  return verification.checks.flatMap((check, index) => {
    const needed = lastResult(check, verification);
    const isGate = check.at.some((step) => step !== 'Soak' && occurs(service, step));
    return when(isGate && !check.dryRun && needed > traffic.progressDeadline, () =>
      error(
        `spec.verification.checks[${index}].count`,
        `${check.count} measurements need ${formatDuration(needed)}, which is beyond spec.traffic.progressDeadline, ${formatDuration(traffic.progressDeadline)}: measure less or more often, or wait longer`,
      ),
    );
  });
}

function ofStepDuration(service: VersionedService): readonly Finding[] {
  const { traffic, verification } = service;
  const { stepDuration } = traffic;
  const field = 'spec.traffic.stepDuration';
  const needed = gateTime(verification, 'Shift');
  if (stepDuration === 0 || needed === 0 || !occurs(service, 'Shift')) return [];
  return when(needed > stepDuration, () =>
    warning(
      field,
      `"${formatDuration(stepDuration)}" is shorter than the checks of a step, which need ${formatDuration(needed)}: each step lasts that long`,
    ),
  );
}

function ofSoak(service: VersionedService): readonly Finding[] {
  const { verification } = service;
  if (verification === undefined || !occurs(service, 'Soak')) return [];
  return verification.checks.flatMap((check, index) => {
    const first = firstResult(check, verification);
    return when(check.at.includes('Soak') && first > verification.soak, () =>
      error(
        'spec.verification.soak',
        `"${formatDuration(verification.soak)}" ends before the first result of checks[${index}] (${check.name}), after ${formatDuration(first)}: soak longer, or measure more often`,
      ),
    );
  });
}

/** A shift that no window can hold stands between versions until the next one opens. */
function ofWindows({ traffic, verification }: VersionedService): readonly Finding[] {
  const { windows } = traffic;
  const needed = shiftTime(traffic, verification);
  const longest = Math.max(...windows.map(({ duration }) => duration));
  return when(windows.length > 0 && needed > longest, () =>
    warning(
      'spec.traffic.windows',
      `the steps to 100 need ${formatDuration(needed)} at least, and the longest window is ${formatDuration(longest)}: the shift stands still in between`,
    ),
  );
}

function ofApprovals({ traffic: { promotion, approvals } }: VersionedService): readonly Finding[] {
  return when(promotion === 'Manual' && approvals.length > 0, () =>
    warning('spec.traffic.approvals', 'say nothing more where promotion is Manual: every step is approved'),
  );
}

/** Before the shift only pinned and mirrored requests reach the candidate. */
function ofVerifyTraffic({ traffic, verification }: VersionedService): readonly Finding[] {
  if (traffic.mirror !== undefined) return [];
  const waiting = decidingChecks(verification, 'Verify').filter(
    ({ metric, noData }) => isOfTraffic(metric) && noData === 'Hold',
  );
  return when(waiting.length > 0, () =>
    warning(
      'spec.verification.checks',
      `${waiting.map(({ name }) => name).join(', ')}: at Verify only pinned requests reach the version, and without enough of them the rollout waits; add spec.traffic.mirror, or leave Verify out of \`at\``,
    ),
  );
}

function ofMirror(service: VersionedService): readonly Finding[] {
  const { traffic, verification } = service;
  const { mirror } = traffic;
  if (mirror === undefined) return [];
  const isLookedAt = verification?.checks.some(
    ({ at, metric }) =>
      (isOfTraffic(metric) ||
        metric.kind === 'query' ||
        metric.kind === 'ratio' ||
        metric.kind === 'histogram') &&
      at.some((step) => step !== 'Soak'),
  );
  return [
    ...when(isLookedAt !== true, () =>
      warning(
        'spec.traffic.mirror',
        'no check measures requests while they are copied: nobody looks at the copies',
      ),
    ),
    ...unsafeMethods(mirror),
  ];
}

function unsafeMethods({ methods }: MirrorSpec): readonly Finding[] {
  return methods.flatMap((method, index) =>
    when(method === 'PUT' || method === 'DELETE', () =>
      warning(
        `spec.traffic.mirror.methods[${index}]`,
        `${method}: a copy changes data too, unless the instances leave that to requests without x-switchyard-mirror`,
      ),
    ),
  );
}

function ofCohort({ traffic, tenantKey }: VersionedService): readonly Finding[] {
  const { cohort } = traffic;
  return when(cohort !== undefined && cohort.tenants.length > 0 && tenantKey?.allow.kind === 'nowhere', () =>
    error(
      'spec.traffic.cohort.tenants',
      'reaches nobody: spec.tenantKey.allow is nowhere, so no request names its tenant',
    ),
  );
}

/** Without reports of the proxies the traffic that a version really got is not known. */
function ofAccessLog({ listeners, verification }: VersionedService): readonly Finding[] {
  return when(verification !== undefined && !listeners.some(({ accessLog }) => accessLog), () =>
    warning(
      'spec.listeners',
      'none has accessLog: true: rollouts show no actual weights, and their reports count no requests',
    ),
  );
}

function ofRetention({ retention: { keep, max }, runtime }: VersionedService): readonly Finding[] {
  // Instances that somebody else runs are up anyway: nothing waits for room.
  const hasNoRoom = max === keep && runtime.kind !== 'endpoints';
  return [
    ...when(keep === 1, () =>
      warning(
        'spec.retention.keep',
        '1: the version before is torn down when the next rollout begins, and a hotfix has only one version to go back to',
      ),
    ),
    ...when(hasNoRoom, () =>
      warning(
        'spec.retention.max',
        `${max} leaves no room for another version beside the ${keep} that are kept: every rollout waits until somebody retires one; write at least ${keep + 1}`,
      ),
    ),
  ];
}

function ofAddresses({
  verification,
  notifications,
  drain: { source },
  delegates,
}: VersionedService): readonly Finding[] {
  const urls: readonly (readonly [field: string, url: string | undefined])[] = [
    ['spec.verification.prometheus.url', verification?.prometheus?.url],
    ...(verification?.checks ?? []).map(
      ({ metric }, index) =>
        [
          `spec.verification.checks[${index}].webhook.url`,
          metric.kind === 'webhook' ? metric.url : undefined,
        ] as const,
    ),
    ['spec.drain.promql.prometheus.url', source.kind === 'promql' ? source.prometheus.url : undefined],
    [
      'spec.delegates.promql.prometheus.url',
      delegates.source.kind === 'promql' ? delegates.source.prometheus.url : undefined,
    ],
    ...notifications.map(({ url }, index) => [`spec.notifications[${index}].url`, url] as const),
  ];
  return urls.flatMap(([field, url]) =>
    when(url !== undefined && holdsCredentials(url), () =>
      warning(
        field,
        'holds a user name or a password, which then stand in the state file, in events and in backups',
      ),
    ),
  );
}

/** A receiver that waits for an event that never comes. */
function ofActions({ notifications }: VersionedService): readonly Finding[] {
  const known = ROLLOUT_STATES.map((state) => `Rollout${state}`);
  return notifications.flatMap(({ events }, index) =>
    events.flatMap((action, position) =>
      when(action.startsWith('Rollout') && !known.includes(action), () =>
        warning(
          `spec.notifications[${index}].events[${position}]`,
          `"${action}" is no event of a rollout${didYouMean(action, known) || `; known are ${known.join(', ')}`}`,
        ),
      ),
    ),
  );
}
