/** What happens to rollouts, traffic and the loop in counters: nothing twice, nothing from nowhere, nothing for ever. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { instant } from '../../../src/model/instant.ts';
import { type ServiceName, versionName } from '../../../src/model/names.ts';
import type { ServiceRecord, Traffic } from '../../../src/model/state.ts';
import { measuredStore } from '../../../src/telemetry/call-metrics.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import type { RecordSource } from '../../../src/telemetry/rollout-counters.ts';
import {
  MANAGER,
  measurement,
  metricsOf,
  NO_REPORTS,
  rollout,
  samples,
  T0,
} from '../../support/rollout-facts.ts';
import { serviceRecord } from '../../support/stored-records.ts';

/** A ledger whose only record the test sets. */
function scriptedRecords(first: ServiceRecord): RecordSource & { show(record: ServiceRecord): void } {
  let records: ReadonlyMap<ServiceName, ServiceRecord> = new Map([[first.name, first]]);
  const listeners = new Set<() => void>();
  return {
    records: () => records,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    show(record) {
      records = new Map([[record.name, record]]);
      for (const listener of listeners) listener();
    },
  };
}

/** A record with this rollout and this traffic, and metrics that follow it. */
function followed(first: Partial<ServiceRecord> = {}) {
  const metrics = metricsOf(() => undefined);
  const base = serviceRecord({ name: 'manager' });
  const source = scriptedRecords({ ...base, ...first });
  const stop = metrics.rollouts.follow(source);
  return { metrics, stop, show: (next: Partial<ServiceRecord>) => source.show({ ...base, ...next }) };
}

/** The samples above zero, sorted. */
const total = async (metrics: Metrics, name: string): Promise<string[]> =>
  (await samples(metrics, name)).filter((line) => !line.endsWith(' 0')).toSorted();

describe('what happened to rollouts', () => {
  test('every outcome and every change of traffic has a series from zero', async () => {
    const metrics = metricsOf(() => undefined);
    expect(await samples(metrics, 'rollouts_ended_total')).toEqual([
      '{outcome="Succeeded"} 0',
      '{outcome="Aborted"} 0',
      '{outcome="RolledBack"} 0',
      '{outcome="Failed"} 0',
    ]);
    expect(await samples(metrics, 'rollouts_started_total')).toEqual(['{} 0']);
    expect(await samples(metrics, 'traffic_changes_total')).toHaveLength(4);
    expect(await samples(metrics, 'measurements_total')).toHaveLength(5);
    expect(await samples(metrics, 'rollout_duration_seconds_count')).toHaveLength(4);
    expect(await samples(metrics, 'webhook_deliveries_total')).toHaveLength(5);
  });

  test('an end is counted once, with its outcome, how long it took and why', async () => {
    const { metrics, show } = followed();
    show({ rollout: rollout() });
    expect(await total(metrics, 'rollouts_started_total')).toEqual(['{} 1']);
    const aborted = rollout({ state: 'Aborted', stateReason: 'GateFailed', endedAt: instant(T0 + 90_000) });
    show({ rollout: aborted });
    show({ rollout: { ...aborted } });
    expect(await total(metrics, 'rollouts_ended_total')).toEqual(['{outcome="Aborted"} 1']);
    expect(await total(metrics, 'rollout_duration_seconds_sum')).toEqual(['{outcome="Aborted"} 90']);
    expect(await samples(metrics, 'rollout_last_abort_info')).toEqual([
      '{version="v2",outcome="Aborted",reason="GateFailed"} 1',
    ]);
  });

  test('a retry is a further start and a further end, and a success does not hide the last abort', async () => {
    const { metrics, show } = followed({ rollout: rollout() });
    show({ rollout: rollout({ state: 'Aborted', stateReason: 'Operator' }) });
    show({ rollout: rollout({ attempt: 2 }) });
    show({ rollout: rollout({ attempt: 2, state: 'Succeeded' }) });
    expect(await total(metrics, 'rollouts_started_total')).toEqual(['{} 1']);
    expect(await total(metrics, 'rollouts_ended_total')).toEqual([
      '{outcome="Aborted"} 1',
      '{outcome="Succeeded"} 1',
    ]);
    expect(await samples(metrics, 'rollout_last_abort_info')).toEqual([
      '{version="v2",outcome="Aborted",reason="Operator"} 1',
    ]);
  });

  test('what had happened before the controller started is not counted again, but the abort is shown', async () => {
    const { metrics, show } = followed({
      rollout: rollout({ state: 'RolledBack', stateReason: 'SoakFailed' }),
    });
    show({ rollout: rollout({ state: 'RolledBack', stateReason: 'SoakFailed' }), generation: 2 });
    expect(await total(metrics, 'rollouts_ended_total')).toEqual([]);
    expect(await total(metrics, 'rollouts_started_total')).toEqual([]);
    expect(await samples(metrics, 'rollout_last_abort_info')).toEqual([
      '{version="v2",outcome="RolledBack",reason="SoakFailed"} 1',
    ]);
  });

  test('shifts, returns, flips and rollbacks of the default traffic are told apart', async () => {
    const [v1, v2] = [versionName('v1'), versionName('v2')];
    const shifting = (weight: number): Traffic => ({
      kind: 'shifting',
      primary: v1,
      candidate: v2,
      weight,
      salt: 's',
    });
    const { metrics, stop, show } = followed({ traffic: { kind: 'none' } });
    show({ traffic: { kind: 'steady', primary: v1 } });
    expect(await total(metrics, 'traffic_changes_total')).toEqual([]);
    show({ traffic: shifting(10) });
    show({ traffic: shifting(50), holds: [] });
    show({ traffic: shifting(50) });
    show({ traffic: shifting(25) });
    show({ traffic: { kind: 'steady', primary: v2, previous: v1 } });
    show({ traffic: { kind: 'steady', primary: v1 } });
    stop();
    show({ traffic: { kind: 'steady', primary: v2, previous: v1 } });
    expect(await total(metrics, 'traffic_changes_total')).toEqual([
      '{change="Flip"} 1',
      '{change="Return"} 1',
      '{change="Rollback"} 1',
      '{change="Shift"} 2',
    ]);
  });

  test('stored measurements are counted by what they said', async () => {
    const metrics = metricsOf(() => undefined);
    const { registry, measurements } = metrics;
    const memory = createMemoryStore();
    const store = measuredStore(memory, { registry, measured: measurements.measured });
    await store.appendMeasurements([measurement(), measurement('NoData'), measurement()]);
    expect(await total(metrics, 'measurements_total')).toEqual(['{state="NoData"} 1', '{state="Passed"} 2']);
    const broken = { ...memory, appendMeasurements: () => Promise.reject(new Error('the disk is full')) };
    const failing = measuredStore(broken, {
      registry: new Metrics({ version: '0' }).registry,
      measured: measurements.measured,
    });
    await expect(failing.appendMeasurements([measurement()])).rejects.toThrow('the disk is full');
    expect(await total(metrics, 'measurements_total')).toEqual(['{state="NoData"} 1', '{state="Passed"} 2']);
  });

  test('the series of a deleted service end', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    let names = ['manager'];
    metrics.follow(() => ({
      ready: true,
      publication: 1,
      proxies: [],
      accessLog: NO_REPORTS,
      services: names.map((name) => ({ record: serviceRecord({ name }), versions: [], alerts: [] })),
    }));
    metrics.rollouts.follow(scriptedRecords(serviceRecord({ name: 'manager' })));
    metrics.loop.observeRounds(MANAGER)('unchanged');
    expect((await metrics.scrape()).body).toContain('service="manager"');
    names = [];
    expect((await metrics.scrape()).body).not.toContain('service="manager"');
  });
});

describe('the loop in metrics', () => {
  test('rounds are counted by how they ended, and the last one has a time', async () => {
    const metrics = metricsOf(() => undefined);
    metrics.loop.observeRounds(MANAGER)('changed');
    metrics.loop.observeRounds(MANAGER)('failed');
    expect(await samples(metrics, 'loop_rounds_total')).toEqual([
      '{result="changed"} 1',
      '{result="unchanged"} 0',
      '{result="failed"} 1',
    ]);
    const [last] = await samples(metrics, 'loop_last_round_timestamp_seconds');
    expect(Number(last?.split(' ')[1])).toBeGreaterThan(T0 / 1000);
    expect((await metrics.scrape()).body).toContain('switchyard_loop_round_seconds_count 2');
  });
});
