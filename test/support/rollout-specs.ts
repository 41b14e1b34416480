/** Arbitrary traffic, verification, drain and delegates of valid specs: what specs.ts puts together. */
import fc from 'fast-check';
import {
  answersByItself,
  asksPrometheus,
  BUILTIN_METRICS,
  CHECKED_STEPS,
  type Check,
  type CheckMetric,
} from '../../src/model/check.ts';
import type { DelegatesSpec, Wave } from '../../src/model/delegates.ts';
import { tenantName } from '../../src/model/names.ts';
import {
  type DrainSource,
  type MaintenanceWindow,
  type PrometheusSpec,
  type TrafficSpec,
  type VerificationSpec,
  WEEKDAYS,
} from '../../src/model/spec.ts';

const WEEK = 7 * 86_400_000;
const between = (min: number, max: number) => fc.integer({ min, max });
const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,10}[a-z0-9])?$/);
const url = fc
  .tuple(fc.constantFrom('http', 'https'), word, between(1, 65_535))
  .map(([scheme, host, port]) => `${scheme}://${host.replaceAll('_', '')}:${port}/${host}`);
const timeout = between(10, 600_000);
/** Finite; 0 and -0 are one value in a document. */
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((any) => any + 0);
const args = fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), fc.string({ maxLength: 20 }), {
  maxKeys: 2,
  noNullPrototype: true,
});
const promql = fc.oneof(
  fc.constant('sum(rate(errors_total{version="{{version}}"}[{{window}}]))'),
  fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => text.trim() !== ''),
);

const prometheus: fc.Arbitrary<PrometheusSpec> = fc.record({
  url,
  scrapeInterval: between(100, 3_600_000),
  timeout,
});

const metric: fc.Arbitrary<CheckMetric> = fc.oneof(
  fc.record({ kind: fc.constant('builtin' as const), name: fc.constantFrom(...BUILTIN_METRICS) }),
  fc.record({ kind: fc.constant('query' as const), query: promql, args }),
  fc.record({ kind: fc.constant('ratio' as const), events: promql, total: promql, args }),
  fc.record({
    kind: fc.constant('histogram' as const),
    buckets: promql,
    quantile: fc.double({ min: 0.001, max: 0.999, noNaN: true }),
    args,
  }),
  fc.record({
    kind: fc.constant('http' as const),
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
    path: fc.constantFrom('/ready', '/ready?deep=1', '/'),
    headers: fc.dictionary(
      word.map((text) => `x-probe-${text.replaceAll('_', '-')}`),
      fc.stringMatching(/^[!-~]{1,10}$/),
      { maxKeys: 2, noNullPrototype: true },
    ),
    statuses: fc
      .tuple(between(100, 599), between(100, 599))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) })),
    timeout,
  }),
  fc.record({ kind: fc.constant('grpc' as const), service: fc.constantFrom('', 'a.b.C'), timeout }),
  fc.record({
    kind: fc.constant('command' as const),
    command: fc.array(fc.constantFrom('./smoke-test', '${version}', '', 'yes', '1'), {
      minLength: 1,
      maxLength: 3,
    }),
    timeout: between(10, 3_600_000),
  }),
  fc.record({ kind: fc.constant('webhook' as const), url, timeout }),
);

const comparison = fc.record({
  bad: fc.constantFrom('Increase' as const, 'Decrease' as const, 'Either' as const),
  tolerance: fc.double({ min: 0, max: 1_000, noNaN: true }).map((any) => any + 0),
  falseAlarm: fc.double({ min: 0.0001, max: 0.5, noNaN: true }),
  variance: fc.boolean(),
});
const limit = fc.oneof(
  fc.tuple(number, number).map(([a, b]) => ({ min: Math.min(a, b) + 0, max: Math.max(a, b) + 0 })),
  number.map((min) => ({ min })),
  number.map((max) => ({ max })),
);
const condition: fc.Arbitrary<Check['condition']> = fc.oneof(
  fc.record({ limit }),
  fc.record({ comparison }),
  fc.record({ limit, comparison }),
);

const check: fc.Arbitrary<Check> = fc
  .record({
    name,
    metric,
    condition,
    at: fc.uniqueArray(fc.constantFrom(...CHECKED_STEPS), { minLength: 1 }),
    interval: between(100, 86_400_000),
    count: between(1, 1_000),
    initialDelay: between(0, 86_400_000),
    failureLimit: between(0, 1_000),
    inconclusiveLimit: between(0, 1_000),
    consecutiveErrorLimit: between(0, 1_000),
    minimumSamples: between(1, 1_000_000),
    noData: fc.constantFrom('Hold' as const, 'Fail' as const, 'Pass' as const),
    critical: fc.boolean(),
    dryRun: fc.boolean(),
    weight: between(1, 1_000),
  })
  .map((any) => (answersByItself(any.metric) ? { ...any, condition: {} } : any));

/** Any verification: it names a Prometheus at least where a check asks it. */
export const verification: fc.Arbitrary<VerificationSpec> = fc
  .record({
    prometheus,
    isNamed: fc.boolean(),
    checks: fc.uniqueArray(check, { maxLength: 4, selector: (any) => any.name }),
    scores: fc.tuple(between(1, 100), between(0, 100)),
    soak: between(0, WEEK),
  })
  .map(({ prometheus: server, isNamed, checks, scores: [passScore, marginal], soak }) => ({
    ...((isNamed || checks.some((any) => asksPrometheus(any.metric))) && { prometheus: server }),
    checks,
    passScore,
    marginalScore: Math.min(passScore, marginal),
    soak,
  }));

const windows: fc.Arbitrary<readonly MaintenanceWindow[]> = fc.array(
  fc.record({
    days: fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }),
    startMinute: between(0, 1_439),
    duration: between(60_000, WEEK),
  }),
  { maxLength: 2 },
);
const tenant = fc.stringMatching(/^[!-~]{1,10}$/).map(tenantName);
const grpcMethod = fc.constantFrom('/a.b.C/Get', '/a.b.C/List', '/D/Watch');

/** Any traffic. A cohort of tenants needs a tenant key; its headers are none of the pin's. */
export function traffic(hasTenantKey: boolean): fc.Arbitrary<TrafficSpec> {
  const cohort = fc
    .record({
      tenants: fc.uniqueArray(tenant, { maxLength: hasTenantKey ? 3 : 0 }),
      headers: fc.uniqueArray(
        fc.record({
          name: word.map((text) => `x-cohort-${text.replaceAll('_', '')}`),
          value: fc.stringMatching(/^[!-~]{1,10}$/),
        }),
        { maxLength: 3, selector: (header) => `${header.name}: ${header.value}` },
      ),
    })
    .filter(({ tenants, headers }) => tenants.length + headers.length > 0);
  const mirror = fc
    .record({
      percent: between(1, 100),
      methods: fc.uniqueArray(fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE')),
      grpcMethods: fc.uniqueArray(grpcMethod),
    })
    .filter(({ methods, grpcMethods }) => methods.length + grpcMethods.length > 0);
  return fc
    .record(
      {
        steps: fc
          .uniqueArray(between(1, 99), { maxLength: 5 })
          .map((steps) => [...steps.toSorted((a, b) => a - b), 100]),
        approved: fc.nat(5),
        stepDuration: between(0, WEEK),
        promotion: fc.constantFrom('Automatic' as const, 'Manual' as const),
        progressDeadline: between(1_000, WEEK),
        windows,
        cohort,
        mirror,
        retries: between(0, 10),
      },
      {
        requiredKeys: [
          'steps',
          'approved',
          'stepDuration',
          'promotion',
          'progressDeadline',
          'windows',
          'retries',
        ],
      },
    )
    .map(({ approved, ...rest }) => ({ ...rest, approvals: rest.steps.slice(0, approved) }));
}

/** Any drain by Prometheus. */
export const promqlDrain: fc.Arbitrary<DrainSource> = fc.record({
  kind: fc.constant('promql' as const),
  query: promql,
  prometheus,
  instanceLabel: word,
  quietFor: between(0, 86_400_000),
});

const wave = fc.record({
  name,
  groups: fc.array(name, { maxLength: 2 }),
  canaries: between(0, 10_000),
  wait: between(0, WEEK),
  windows,
  maxInFlight: between(1, 100_000),
  maxFailed: between(0, 100_000),
});

/** Any delegates. Holds need a tenant key; a group is in one wave, and only the last wave may have none. */
export function delegates(hasTenantKey: boolean): fc.Arbitrary<DelegatesSpec> {
  return fc
    .record({
      source: fc.oneof(
        fc.constant({ kind: 'none' } as const),
        fc.constant({ kind: 'grpc' } as const),
        fc.record({ kind: fc.constant('promql' as const), query: promql, prometheus, tenantLabel: word }),
      ),
      activeWithin: between(60_000, 720 * 3_600_000),
      deadline: between(1_000, 720 * 3_600_000),
      onMissing: fc.constantFrom('HoldBack' as const, 'Wait' as const, 'Proceed' as const, 'Fail' as const),
      maxHeldBack: between(0, 100),
      holdFor: between(60_000, 8_760 * 3_600_000),
      waves: fc.uniqueArray(wave, { maxLength: 3, selector: (any) => any.name }).map(apart),
    })
    .map((any) => ({
      ...any,
      onMissing: hasTenantKey || any.source.kind === 'none' ? any.onMissing : 'Wait',
      waves: any.source.kind === 'none' ? [] : any.waves,
    }));
}

function apart(waves: readonly Wave[]): readonly Wave[] {
  return waves.map((any, index) => {
    const groups = any.groups.map((group) => `${group}${index}`);
    const others = groups.length === 0 && index < waves.length - 1 ? [`rest${index}`] : groups;
    return { ...any, groups: [...new Set(others)] };
  });
}

/** Any receiver of events. */
export const notification = fc.record({
  name,
  url,
  events: fc.uniqueArray(fc.constantFrom('RolloutAborted', 'Flip', 'Rollback')),
});
