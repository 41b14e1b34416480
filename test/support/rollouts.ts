/** Rollouts, policies and checks for tests: a small complete one of each, with what a test cares about replaced. */
import type { Check } from '../../src/model/check.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { type RolloutRecord, rolloutId } from '../../src/model/rollout.ts';
import type { TrafficSpec, VerificationSpec } from '../../src/model/spec.ts';
import { aCheck as anyCheck, aTraffic as anyTraffic, aVerification as anyVerification } from './records.ts';

/** A rollout of v2 over v1 that has just begun, without checks. */
export function aRollout(replaced: Partial<RolloutRecord> = {}): RolloutRecord {
  const version = replaced.version ?? versionName('v2');
  return {
    id: rolloutId(serviceName('manager'), version, 1),
    service: serviceName('manager'),
    version,
    baseline: versionName('v1'),
    policy: { traffic: aTraffic() },
    startedAt: instant(0),
    startedBy: 'tester',
    reason: '',
    urgent: false,
    keeps: [],
    group: [],
    attempt: 1,
    state: 'Progressing',
    stateReason: 'Deploying',
    because: '',
    since: instant(0),
    step: { kind: 'Deploy' },
    stepSince: instant(0),
    promoted: [],
    ...replaced,
  };
}

/** Automatic, one flip. */
export function aTraffic(replaced: Partial<TrafficSpec> = {}): TrafficSpec {
  return anyTraffic({ promotion: 'Automatic', ...replaced });
}

/** At least 99 % of the requests succeed, three times, ten seconds apart. */
export function aCheck(replaced: Partial<Check> = {}): Check {
  return anyCheck({ interval: 10_000, ...replaced });
}

/** A verification with one such check, by a Prometheus that scrapes every second. */
export function aVerification(replaced: Partial<VerificationSpec> = {}): VerificationSpec {
  return anyVerification({
    prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: 1_000, timeout: 1_000 },
    checks: [aCheck()],
    ...replaced,
  });
}
