/** Arbitrary records of all that a store keeps: every variant of every union, with and without each optional field. */
import fc from 'fast-check';
import { CHECK_STATES } from '../../src/model/check.ts';
import { instant } from '../../src/model/instant.ts';
import type {
  Bucket,
  Judgement,
  MeasuredData,
  MeasuredOutcome,
  Measurement,
  Proportion,
} from '../../src/model/measurement.ts';
import { serviceName, tenantName, versionName } from '../../src/model/names.ts';
import {
  ROLLOUT_STATES,
  type RolloutRecord,
  type RolloutStep,
  rolloutId,
  stepName,
} from '../../src/model/rollout.ts';
import {
  type Hold,
  type ServiceRecord,
  type Traffic,
  VERSION_STATES,
  type VersionRecord,
} from '../../src/model/state.ts';
import {
  TRAFFIC_RESULTS,
  TRAFFIC_ROUTES,
  type TrafficCount,
  type TrafficCoverage,
} from '../../src/model/traffic.ts';
import { anyArtifact, anyDelegatesRecord } from './any-delegates.ts';
import { anySpec } from './specs.ts';

const version = fc.constantFrom('v1', '1.8.3', 'v42').map(versionName);
const service = fc.constantFrom('manager', 'a.b', 'x-1').map(serviceName);
const words = fc.string({ unit: 'binary', maxLength: 12 });
const at = fc.nat(1_000_000).map(instant);
const count = fc.nat(1_000_000);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const atLeast0 = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs);
const kind = <const Kind extends string>(value: Kind) => fc.constant(value);

const traffic: fc.Arbitrary<Traffic> = fc.oneof(
  fc.record({ kind: kind('none') }),
  some({ kind: kind('steady'), primary: version }, { previous: version }),
  some(
    {
      kind: kind('shifting'),
      primary: version,
      candidate: version,
      weight: fc.integer({ min: 1, max: 99 }),
      salt: words,
    },
    { previous: version },
  ),
);

const versionRecord: fc.Arbitrary<VersionRecord> = some(
  {
    name: version,
    state: fc.constantFrom(...VERSION_STATES),
    reason: words,
    since: at,
    fenced: fc.boolean(),
  },
  {
    mark: fc.record({
      kind: fc.constantFrom('Abandoned' as const, 'Quarantined' as const),
      reason: words,
      by: words,
      since: at,
    }),
    fenceAtOnce: fc.boolean(),
    certificate: fc.constantFrom('atomic' as const, 'observed' as const),
    lastPrimary: at,
    teardown: fc.record({ since: at, because: words }),
    retirement: fc.record({
      step: fc.constantFrom(
        'LeavingGoalStates' as const,
        'Refusing' as const,
        'RemovingCluster' as const,
        'StoppingInstances' as const,
      ),
      since: at,
      waiveStragglers: fc.boolean(),
    }),
  },
);

const hold: fc.Arbitrary<Hold> = some(
  {
    tenant: fc.constantFrom('acme', 'a b', '~').map(tenantName),
    version,
    reason: words,
    by: words,
    since: at,
    expires: at,
  },
  { heldBackBy: fc.constant(rolloutId(serviceName('manager'), versionName('v1'), 3)) },
);

const step: fc.Arbitrary<RolloutStep> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'Deploy' as const,
      'Register' as const,
      'Verify' as const,
      'Cohort' as const,
      'Soak' as const,
    ),
  }),
  fc.record({ kind: kind('Shift'), index: fc.nat(20), weight: fc.integer({ min: 1, max: 100 }) }),
);

/** Any rollout. */
const anyRollout: fc.Arbitrary<RolloutRecord> = fc
  .tuple(service, version, count, anySpec)
  .chain(([name, candidate, generation, spec]) =>
    some(
      {
        id: fc.constant(rolloutId(name, candidate, generation)),
        service: fc.constant(name),
        version: fc.constant(candidate),
        baseline: version,
        policy: fc.constant({
          traffic: spec.traffic,
          ...(spec.verification !== undefined && { verification: spec.verification }),
          ...(spec.delegates.source.kind !== 'none' && { delegates: spec.delegates }),
        }),
        startedAt: at,
        startedBy: words,
        reason: words,
        urgent: fc.boolean(),
        keeps: fc.array(version, { maxLength: 2 }),
        group: fc.array(service, { maxLength: 2 }),
        attempt: fc.integer({ min: 1, max: 9 }),
        state: fc.constantFrom(...ROLLOUT_STATES),
        stateReason: words,
        because: words,
        since: at,
        step,
        stepSince: at,
        promoted: fc.array(step.map(stepName), { maxLength: 3 }),
      },
      {
        stepEverywhere: at,
        rollFixedAt: at,
        delegates: fc.record({ ready: count, expected: count, at }),
        fullyPromotedBy: words,
        movedBackAt: at,
        endedAt: at,
      },
    ),
  );

/** Any service record. */
export const anyServiceRecord: fc.Arbitrary<ServiceRecord> = fc
  .tuple(anySpec, anyRollout)
  .chain(([spec, rollout]) =>
    some(
      {
        name: fc.constant(spec.name),
        spec: fc.constant(spec),
        document: fc.string({ unit: 'binary', maxLength: 60 }),
        generation: fc.integer({ min: 1, max: 1_000_000 }),
        traffic,
        versions: fc.array(versionRecord, { maxLength: 4 }),
        holds: fc.array(hold, { maxLength: 3 }),
      },
      {
        rollout: fc.constant({ ...rollout, service: spec.name }),
        freeze: some({ reason: words, by: words, since: at }, { until: at }),
        delegates: anyDelegatesRecord,
        artifacts: fc.array(anyArtifact, { maxLength: 2 }),
      },
    ),
  );

const proportion: fc.Arbitrary<Proportion> = fc.record({ events: atLeast0, total: atLeast0 });
const buckets: fc.Arbitrary<readonly Bucket[]> = fc.array(
  fc.record({ upTo: fc.option(finite, { nil: null }), count: atLeast0 }),
  { maxLength: 4 },
);

const data: fc.Arbitrary<MeasuredData> = fc.oneof(
  some({ kind: kind('value'), candidate: finite }, { baseline: finite }),
  some({ kind: kind('ratio'), candidate: proportion }, { baseline: proportion }),
  some({ kind: kind('histogram'), candidate: buckets }, { baseline: buckets }),
  fc.record({
    kind: kind('answer'),
    answer: fc.constantFrom('approved' as const, 'refused' as const, 'undecided' as const),
    detail: words,
  }),
);

const outcome: fc.Arbitrary<MeasuredOutcome> = fc.oneof(
  fc.record({ kind: kind('Data'), data }),
  fc.record({ kind: fc.constantFrom('NoData' as const, 'Error' as const), reason: words }),
);

const judgement: fc.Arbitrary<Judgement> = some(
  {
    state: fc.constantFrom(...CHECK_STATES.filter(isJudged)),
    limit: words,
    samples: some({ candidate: atLeast0 }, { baseline: atLeast0 }),
    because: words,
  },
  {
    value: finite,
    baseline: finite,
    interval: fc.record({ low: finite, high: finite }),
    smallestEffect: finite,
  },
);

/** Any measurement. */
export const anyMeasurement: fc.Arbitrary<Measurement> = anyRollout.chain((rollout) =>
  some(
    {
      rollout: fc.constant(rollout.id),
      attempt: fc.integer({ min: 1, max: 9 }),
      step: step.map(stepName),
      check: words,
      service: fc.constant(rollout.service),
      version,
      at,
      window: fc.record({ from: at, to: at }),
      queries: fc.array(words, { maxLength: 2 }),
      outcome,
      judgement,
    },
    { baseline: version },
  ),
);

/** Any count of requests. */
export const anyTrafficCount: fc.Arbitrary<TrafficCount> = some(
  {
    service,
    route: fc.constantFrom(...TRAFFIC_ROUTES),
    result: fc.constantFrom(...TRAFFIC_RESULTS),
    from: at,
    requests: count,
    retries: count,
    durations: fc.array(count, { maxLength: 61 }),
  },
  { version },
);

/** Any coverage. */
export const anyCoverage: fc.Arbitrary<TrafficCoverage> = fc.record({
  from: at,
  to: at,
  gaps: fc.array(fc.record({ proxy: words, from: at, to: at, requests: count, why: words }), {
    maxLength: 2,
  }),
});

function isJudged(state: (typeof CHECK_STATES)[number]): state is Judgement['state'] {
  return state !== 'Pending' && state !== 'Running' && state !== 'Skipped';
}

/** Objects with all of the first fields and any of the second. */
function some<Required extends object, Optional extends object>(
  required: { readonly [Key in keyof Required]: fc.Arbitrary<Required[Key]> },
  optional: { readonly [Key in keyof Optional]: fc.Arbitrary<Optional[Key]> },
): fc.Arbitrary<Required & Partial<Optional>> {
  const requiredKeys = Object.keys(required);
  const parts = { ...required, ...optional } as Record<string, fc.Arbitrary<unknown>>;
  return fc.record(parts, { requiredKeys }) as fc.Arbitrary<unknown> as fc.Arbitrary<
    Required & Partial<Optional>
  >;
}
