/** One measurement of a check of the rollout from v1 to v2, over samples that a test scripts. */
import { type Measured, type MeasureInput, measure } from '../../src/controller/measure.ts';
import type { Check, CheckMetric } from '../../src/model/check.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { RolloutRecord } from '../../src/model/rollout.ts';
import type { ProbeAnswer, Prober } from '../../src/ports/prober.ts';
import { aCheck, aRecord, aSpec, aVerification } from './records.ts';
import { aRollout } from './rollout-records.ts';
import type { ScriptedMetrics } from './scripted-metrics.ts';

/** Between scrapes. */
export const SCRAPE = aVerification().prometheus?.scrapeInterval ?? 0;
/** What is measured: six scrapes. */
export const window = { from: instant(1_000_000), to: instant(1_000_000 + 6 * SCRAPE) };

/** A condition that compares with the baseline, and sets no limit. */
export const compared: Check['condition'] = {
  comparison: { bad: 'Either', tolerance: 0, falseAlarm: 0.05, variance: false },
};

export function builtin(name: Extract<CheckMetric, { kind: 'builtin' }>['name']): CheckMetric {
  return { kind: 'builtin', name };
}

export function proberThat(answer: ProbeAnswer): Prober {
  return { probe: async () => answer, confirm: async () => answer };
}

/** The rollout that is measured. */
export function rolloutFrom(replaced: Partial<RolloutRecord> = {}): RolloutRecord {
  return aRollout({
    service: serviceName('manager'),
    version: versionName('v2'),
    baseline: versionName('v1'),
    policy: { ...aRollout().policy, verification: aVerification() },
    ...replaced,
  });
}

/** Measures a metric over the window; with a limit, unless another condition is given. */
export function measured(
  metricSource: ScriptedMetrics,
  metric: CheckMetric,
  replaced: Partial<MeasureInput> & { condition?: Check['condition'] } = {},
): Promise<Measured> {
  const { condition = { limit: { min: 99 } }, ...others } = replaced;
  return measure({
    check: aCheck({ metric, condition }),
    record: aRecord({ spec: aSpec() }),
    rollout: rolloutFrom(),
    window,
    instances: [],
    metricSource,
    prober: proberThat({ kind: 'error', reason: 'nobody asked for a prober' }),
    signal: new AbortController().signal,
    ...others,
  });
}
