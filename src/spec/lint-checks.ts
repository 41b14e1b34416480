/** What is wrong with single checks: those that can never fail or never pass, never run, or have nothing to measure. */
import type { Check, Comparison, Limit } from '../model/check.ts';
import { asksPrometheus } from '../model/check.ts';
import type { VerificationSpec, VersionedService } from '../model/spec.ts';
import { possibleValues, valueKind } from './check-facts.ts';
import { formatDuration } from './duration.ts';
import { decidingChecks, detectionTime, looksInSoak, occurs } from './gate-times.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { lintCheckQueries } from './lint-queries.ts';
import { probesGrpc } from './pod-template.ts';

interface Checked {
  readonly check: Check;
  /** `spec.verification.checks[0]`. */
  readonly field: string;
  readonly service: VersionedService;
  readonly verification: VerificationSpec;
}

/** The findings of every check. */
export function lintChecks(service: VersionedService): readonly Finding[] {
  const { verification } = service;
  if (verification === undefined) return [];
  return verification.checks.flatMap((check, index) => {
    const checked = { check, field: `spec.verification.checks[${index}]`, service, verification };
    return [
      ...ofLimit(checked),
      ...ofComparison(checked),
      ...ofSteps(checked),
      ...ofFailures(checked),
      ...ofInterval(checked),
      ...ofScore(checked),
      ...ofNoData(checked),
      ...ofHeaders(checked),
      ...ofGrpc(checked),
      ...lintCheckQueries(check, `spec.verification.checks[${index}]`),
    ];
  });
}

function ofLimit({ check, field }: Checked): readonly Finding[] {
  const { metric, condition } = check;
  const { limit } = condition;
  if (limit === undefined) return [];
  const [lowest, highest] = possibleValues(metric);
  const { min = -Infinity, max = Infinity } = limit;
  const name = metric.kind === 'builtin' ? metric.name : metric.kind;
  const range = highest === Infinity ? `${lowest} or more` : `${lowest} to ${highest}`;
  if (min > highest || max < lowest)
    return [error(`${field}.limit`, `can never pass: the value of ${name} is ${range}`)];
  if (min <= lowest && max >= highest)
    return [
      error(`${field}.limit`, `can never fail: the value of ${name} is ${range}, and all of it is good`),
    ];
  return [...fractionOfPercent(check, field, limit), ...wrongSide(check, field, limit)];
}

/** A rate of 0.99 is one percent here. */
function fractionOfPercent({ metric }: Check, field: string, { min }: Limit): readonly Finding[] {
  const isRate =
    metric.kind === 'builtin' && (metric.name === 'SuccessRate' || metric.name === 'InstancesUp');
  return when(isRate && min !== undefined && min > 0 && min <= 1, () =>
    warning(
      `${field}.limit.min`,
      `${min} is a percentage: ${metric.kind === 'builtin' ? metric.name : ''} of 1 % would pass; did you mean ${Number((100 * (min ?? 0)).toPrecision(6))}?`,
    ),
  );
}

/** A bound on the side that is good leaves the bad side open. */
function wrongSide({ metric }: Check, field: string, { min, max }: Limit): readonly Finding[] {
  if (metric.kind !== 'builtin' || metric.name === 'RequestRate') return [];
  const isLowBad = metric.name === 'SuccessRate' || metric.name === 'InstancesUp';
  return when(isLowBad ? min === undefined : max === undefined, () =>
    warning(
      `${field}.limit`,
      isLowBad
        ? `has no min: a ${metric.name} of 0 passes`
        : `has no max: any ${metric.name}, however high, passes`,
    ),
  );
}

function ofComparison({ check, field, service }: Checked): readonly Finding[] {
  const { comparison } = check.condition;
  if (comparison === undefined) return [];
  const { metric, at } = check;
  const kind = valueKind(metric);
  return [
    ...when(metric.kind === 'builtin' && metric.name === 'RequestRate', () =>
      error(`${field}.compare`, 'cannot be judged: the rate of a version follows its weight; write a limit'),
    ),
    ...when(isBeyondReach(comparison, kind === 'Percentage'), () =>
      error(
        `${field}.compare.tolerance`,
        kind === 'Percentage'
          ? `${comparison.tolerance} percentage points: can never fail, since percentages differ by 100 at most`
          : `${comparison.tolerance}: can never fail, since no value decreases by more than the whole; write less than 1`,
      ),
    ),
    ...when(comparison.variance && kind === 'Percentage', () =>
      warning(
        `${field}.compare.variance`,
        'says nothing of a percentage: only latencies and numbers have a spread',
      ),
    ),
    ...when(at.includes('Soak') && occurs(service, 'Soak'), () =>
      warning(
        `${field}.at`,
        'Soak: after the flip the old primary gets no default traffic, so there is nothing to compare with; guard the soak by a check with a limit',
      ),
    ),
  ];
}

function isBeyondReach({ bad, tolerance }: Comparison, isPercentage: boolean): boolean {
  return isPercentage ? tolerance >= 100 : bad === 'Decrease' && tolerance >= 1;
}

function ofSteps({ check, field, service }: Checked): readonly Finding[] {
  const never = check.at.filter((step) => !occurs(service, step));
  return when(never.length === check.at.length, () =>
    error(
      `${field}.at`,
      never.includes('Shift')
        ? `never runs: a rollout of this spec has no ${never.join(' and no ')} step; add a step below 100 to spec.traffic.steps, or write another step`
        : 'never runs: spec.verification.soak is 0s, so nothing soaks',
    ),
  );
}

/** More failures are tolerated than there are results. */
function ofFailures({ check, field, service, verification }: Checked): readonly Finding[] {
  const { failureLimit, count } = check;
  const blunt = check.at.filter((step) => {
    if (!occurs(service, step)) return false;
    const looks = step === 'Soak' ? looksInSoak(check, verification) : count;
    return looks > 0 && failureLimit >= looks;
  });
  return when(blunt.length > 0, () =>
    error(
      `${field}.failureLimit`,
      `${failureLimit}: can never fail at ${blunt.join(' and ')}, where it has ${blunt.includes('Soak') && blunt.length === 1 ? looksInSoak(check, verification) : count} result(s); tolerate fewer failures, or measure more often`,
    ),
  );
}

function ofInterval({ check, field, verification }: Checked): readonly Finding[] {
  const { prometheus } = verification;
  if (prometheus === undefined || !asksPrometheus(check.metric)) return [];
  const least = 3 * prometheus.scrapeInterval;
  const detects = formatDuration(detectionTime({ ...check, interval: least }, verification));
  return when(check.interval < least, () =>
    error(
      `${field}.interval`,
      `"${formatDuration(check.interval)}" is under three scrapes of ${formatDuration(prometheus.scrapeInterval)}: write at least ${formatDuration(least)}, which sees a fault within ${detects}; to see it sooner, scrape more often`,
    ),
  );
}

/** A check that is not critical, whose failure alone decides all the same. */
function ofScore({ check, field, verification }: Checked): readonly Finding[] {
  if (check.critical || check.dryRun) return [];
  const { passScore, marginalScore } = verification;
  const score = Math.min(...check.at.map((step) => scoreWithout(check, decidingChecks(verification, step))));
  return when(score < passScore, () =>
    warning(
      `${field}.critical`,
      `false: yet where it fails the score is ${score} at most, and the step ${score < marginalScore ? 'fails' : 'is undecided'}; lower passScore or its weight, or write dryRun: true`,
    ),
  );
}

/** The score of a step whose checks all pass but this one. */
function scoreWithout(failed: Check, deciding: readonly Check[]): number {
  const all = deciding.reduce((sum, { weight }) => sum + weight, 0);
  return Math.round((10_000 * (all - failed.weight)) / all) / 100;
}

function ofNoData({ check, field }: Checked): readonly Finding[] {
  return when(check.noData === 'Pass' && !check.dryRun, () =>
    warning(`${field}.noData`, 'Pass: a Prometheus that has nothing to say lets the version through'),
  );
}

const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization', 'x-api-key'];

function ofHeaders({ check: { metric }, field }: Checked): readonly Finding[] {
  if (metric.kind !== 'http') return [];
  return Object.keys(metric.headers)
    .filter((name) => SECRET_HEADERS.includes(name))
    .map((name) =>
      warning(
        `${field}.http.headers.${name}`,
        'looks like a secret, and its value stands in the state file, in events and in backups: probe a path that needs none',
      ),
    );
}

/** Envoy counts a gRPC call by its HTTP status, which is 200 also where the call failed. */
function ofGrpc({ check: { metric }, field, service }: Checked): readonly Finding[] {
  const countsStatus = metric.kind === 'builtin' && metric.name === 'SuccessRate';
  return when(countsStatus && speaksGrpc(service), () =>
    warning(
      `${field}.builtin.metric`,
      'SuccessRate sees no gRPC call fail: Envoy counts calls by their HTTP status, which is 200; guard gRPC services by a ratio over counters of their own',
    ),
  );
}

function speaksGrpc({ pin, runtime, traffic }: VersionedService): boolean {
  return (
    (pin.allow.kind === 'scoped' && pin.allow.grpcServices.length > 0) ||
    (runtime.kind === 'processes' && runtime.readiness.kind === 'grpc') ||
    (runtime.kind === 'kubernetes' &&
      runtime.pods.kind === 'template' &&
      probesGrpc(runtime.pods.template)) ||
    (traffic.mirror !== undefined && traffic.mirror.grpcMethods.length > 0)
  );
}
