/** What a simulated rollout is told to do, and how good its candidates really are: drawn by chance. */
import type { Check } from '../../../src/model/check.ts';
import { type VersionName, versionName } from '../../../src/model/names.ts';
import { type MaintenanceWindow, type VersionedService, WEEKDAYS } from '../../../src/model/spec.ts';
import type { ServiceRecord, Traffic } from '../../../src/model/state.ts';
import { aProcessesSpec, aRecord, aVersion } from '../records.ts';
import { aCheck, aTraffic, aVerification } from '../rollouts.ts';
import type { Chance } from './chance.ts';

/** When a version is bad: never, from the beginning, once it has default traffic, only as primary; or it does not even start. */
export type Truth = 'good' | 'bad' | 'badUnderTraffic' | 'badAsPrimary' | 'neverStarts';

const STEPS = [[100], [25, 100], [5, 25, 50, 100]] as const;

/** Open for the first ten minutes of every half hour. */
const HALF_HOURS: readonly MaintenanceWindow[] = Array.from({ length: 48 }, (_, index) => ({
  days: WEEKDAYS,
  startMinute: index * 30,
  duration: 600_000,
}));

export function drawTruth(chance: Chance): Truth {
  if (chance.in(0.08)) return 'neverStarts';
  return chance.of(['good', 'good', 'good', 'bad', 'badUnderTraffic', 'badAsPrimary']);
}

/** A service with v1 as primary and v0 as its previous, about to roll out. */
export function drawRecord(chance: Chance): ServiceRecord {
  const base = aProcessesSpec({
    drain: { source: { kind: 'http', fencePath: '/drain', openWorkPath: '/work' } },
    retention: chance.of([
      { keep: 2, max: 3 },
      { keep: 2, max: 2 },
      { keep: 3, max: 4 },
    ]),
    traffic: aTraffic({
      steps: chance.of(STEPS),
      stepDuration: chance.of([0, 30_000]),
      promotion: chance.in(0.85) ? 'Automatic' : 'Manual',
      approvals: chance.in(0.15) ? [100] : [],
      progressDeadline: 300_000,
      windows: chance.in(0.1) ? HALF_HOURS : [],
      ...(chance.in(0.2) ? { cohort: { tenants: [], headers: [{ name: 'x-beta', value: '1' }] } } : {}),
    }),
    ...(chance.in(0.9)
      ? { verification: aVerification({ checks: drawChecks(chance), soak: chance.of([0, 60_000]) }) }
      : {}),
  });
  const runtime = base.runtime.kind === 'processes' ? { ...base.runtime, instances: 2 } : base.runtime;
  const spec = { ...base, runtime, ...(chance.in(0.4) ? drawDelegates(chance) : {}) };
  return aRecord({
    spec,
    traffic: { kind: 'steady', primary: versionName('v1'), previous: versionName('v0') },
    versions: [
      aVersion('v0', { lastPrimary: at(1) }),
      aVersion('v1', { state: 'Primary', lastPrimary: at(2) }),
    ],
  });
}

/** A service whose delegates a rollout waits for. */
function drawDelegates(chance: Chance): Pick<VersionedService, 'delegates' | 'tenantKey'> {
  return {
    tenantKey: { header: 'x-tenant', allow: { kind: 'everywhere' } },
    delegates: {
      source: { kind: 'grpc' },
      activeWithin: 3_600_000,
      deadline: chance.of([60_000, 120_000]),
      onMissing: chance.of(['HoldBack', 'HoldBack', 'Wait', 'Proceed', 'Fail']),
      maxHeldBack: chance.of([0, 20, 40, 100]),
      holdFor: chance.of([120_000, 86_400_000]),
      waves: [],
    },
  };
}

function drawChecks(chance: Chance): readonly Check[] {
  const count = chance.between(1, 3);
  const errors = aCheck({ count, failureLimit: count > 1 ? chance.of([0, 0, 1]) : 0 });
  const second = aCheck({
    name: 'shadow',
    dryRun: chance.in(0.5),
    critical: chance.in(0.5),
    noData: chance.of(['Hold', 'Hold', 'Fail']),
    at: chance.of([['Verify'], ['Shift', 'Soak'], ['Verify', 'Shift', 'Soak']]),
  });
  return chance.in(0.5) ? [errors] : [errors, second];
}

function at(milliseconds: number): NonNullable<ServiceRecord['versions'][number]['lastPrimary']> {
  return milliseconds as NonNullable<ServiceRecord['versions'][number]['lastPrimary']>;
}

/** Whether a version fails requests now, as the traffic is. */
export function isBad(of: {
  readonly truth: Truth | undefined;
  readonly traffic: Traffic;
  readonly version: VersionName;
}): boolean {
  const { truth, traffic, version } = of;
  const isPrimary = traffic.kind !== 'none' && traffic.primary === version;
  const hasShare = isPrimary || (traffic.kind === 'shifting' && traffic.candidate === version);
  switch (truth) {
    case 'bad':
      return true;
    case 'badUnderTraffic':
      return hasShare;
    case 'badAsPrimary':
      return isPrimary;
    case 'good':
    case 'neverStarts':
    case undefined:
      return false;
  }
}
