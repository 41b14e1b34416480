/** Rollouts as a scrape reads them, complete and small, and the samples of a scrape. */
import { instant } from '../../src/model/instant.ts';
import type { CheckRun, Measurement } from '../../src/model/measurement.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { type RolloutRecord, rolloutId, stepName } from '../../src/model/rollout.ts';
import type { RolloutFacts } from '../../src/telemetry/facts.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { aCheck, aTraffic } from './records.ts';
import { serviceRecord } from './stored-records.ts';

export const MANAGER = serviceName('manager');
/** No proxy reports its requests. */
export const NO_REPORTS = { proxies: 0, counted: 0, notOurs: 0, lost: 0 };

/** When it began. */
export const T0 = 1_700_000_000_000;

/** A rollout of v2 at its first weight. */
export function rollout(changed: Partial<RolloutRecord> = {}): RolloutRecord {
  const version = changed.version ?? versionName('v2');
  return {
    id: rolloutId(MANAGER, version, 1),
    service: MANAGER,
    version,
    baseline: versionName('v1'),
    policy: { traffic: aTraffic({ steps: [10, 100] }) },
    startedAt: instant(T0),
    startedBy: 'ada',
    reason: '',
    urgent: false,
    keeps: [],
    group: [],
    attempt: 1,
    state: 'Progressing',
    stateReason: 'Shifting',
    because: 'it moves',
    since: instant(T0 + 5000),
    step: { kind: 'Shift', index: 0, weight: 10 },
    stepSince: instant(T0 + 5000),
    promoted: [],
    ...changed,
  };
}

/** A measurement of its check that said this. */
export function measurement(state: Measurement['judgement']['state'] = 'Passed'): Measurement {
  return {
    rollout: rollout().id,
    attempt: 1,
    step: stepName(rollout().step),
    check: 'errors',
    service: MANAGER,
    version: versionName('v2'),
    baseline: versionName('v1'),
    at: instant(T0 + 9000),
    window: { from: instant(T0), to: instant(T0 + 9000) },
    queries: [],
    outcome: { kind: 'NoData', reason: 'a test' },
    judgement: {
      state,
      value: 99.5,
      baseline: 99.9,
      limit: 'at least 99 %',
      samples: { candidate: 120, baseline: 1100 },
      because: 'a test',
    },
  };
}

/** How its check stands. */
export const run = (changed: Partial<CheckRun> = {}): CheckRun => ({
  check: 'errors',
  state: 'Running',
  passed: 1,
  failed: 0,
  inconclusive: 0,
  noData: 0,
  errors: 0,
  consecutiveErrors: 0,
  last: measurement(),
  because: '',
  ...changed,
});

/** All that is shown of it. */
export function rolloutFacts(changed: Partial<RolloutFacts> = {}): RolloutFacts {
  return {
    record: rollout(),
    steps: [{ progress: 'Done' }, { progress: 'Current' }, { progress: 'Ahead' }],
    setWeight: 10,
    actualWeight: { percent: 9.5, requests: 2000 },
    checks: [{ check: aCheck(), run: run() }],
    verdict: { state: 'Running', because: '', deciding: [], score: 80 },
    openWork: [{ version: versionName('v0'), open: 3 }, { version: versionName('v1') }],
    wayBack: { isReady: true },
    ...changed,
  };
}

/** Metrics of one service with this rollout, or without any. */
export function metricsOf(read: () => RolloutFacts | undefined): Metrics {
  const metrics = new Metrics({ version: '0.1.0' });
  metrics.follow(() => {
    const shown = read();
    const service = { record: serviceRecord({ name: 'manager' }), versions: [], alerts: [] };
    const services = [{ ...service, ...(shown !== undefined && { rollout: shown }) }];
    return { ready: true, publication: 1, proxies: [], accessLog: NO_REPORTS, services };
  });
  return metrics;
}

/** The samples of a scrape, without the prefix and the label of the service. */
export async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.scrape();
  return body
    .split('\n')
    .filter((line) => line.startsWith(`switchyard_${name}{`))
    .map((line) => line.replace(`switchyard_${name}`, '').replace(/service="manager",?/, ''));
}
