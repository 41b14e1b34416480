/** Rollouts in metrics: what is shown, and that nothing is shown that is not known. */
import { describe, expect, test } from 'vitest';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { aCheck } from '../../support/records.ts';
import { metricsOf, NO_REPORTS, rolloutFacts, run, samples, T0 } from '../../support/rollout-facts.ts';
import { serviceRecord } from '../../support/stored-records.ts';

describe('a rollout in metrics', () => {
  test('is in one state, one step and one verdict', async () => {
    const metrics = metricsOf(() => rolloutFacts());
    for (const [name, set, size] of [
      ['rollout_state', '{state="Progressing"} 1', 8],
      ['rollout_step', '{step="Shift"} 1', 6],
      ['rollout_verdict', '{verdict="Running"} 1', 6],
    ] as const) {
      const lines = await samples(metrics, name);
      expect(lines).toHaveLength(size);
      expect(lines.filter((line) => line.endsWith(' 1'))).toEqual([set]);
    }
  });

  test('shows who goes where, how far it is, and both weights', async () => {
    const metrics = metricsOf(() => rolloutFacts());
    expect(await samples(metrics, 'rollout_info')).toEqual(['{version="v2",baseline="v1"} 1']);
    expect(await samples(metrics, 'rollout_steps')).toEqual(['{} 3']);
    expect(await samples(metrics, 'rollout_steps_done')).toEqual(['{} 1']);
    expect(await samples(metrics, 'rollout_attempt')).toEqual(['{} 1']);
    expect(await samples(metrics, 'rollout_set_weight_percent')).toEqual(['{} 10']);
    expect(await samples(metrics, 'rollout_actual_weight_percent')).toEqual(['{} 9.5']);
    expect(await samples(metrics, 'rollout_actual_weight_requests')).toEqual(['{} 2000']);
    expect(await samples(metrics, 'rollout_score_percent')).toEqual(['{} 80']);
    expect(await samples(metrics, 'rollout_way_back_ready')).toEqual(['{} 1']);
    expect(await samples(metrics, 'rollout_started_timestamp_seconds')).toEqual([`{} ${T0 / 1000}`]);
    expect(await samples(metrics, 'rollout_state_timestamp_seconds')).toEqual([`{} ${T0 / 1000 + 5}`]);
  });

  test('shows each check with its state, value, limit and samples', async () => {
    const metrics = metricsOf(() => rolloutFacts());
    const states = await samples(metrics, 'rollout_check_state');
    expect(states).toHaveLength(8);
    expect(states).toContain('{check="errors",state="Running"} 1');
    expect(await samples(metrics, 'rollout_check_limit')).toEqual(['{check="errors",bound="min"} 99']);
    expect(await samples(metrics, 'rollout_check_value')).toEqual([
      '{check="errors",side="candidate"} 99.5',
      '{check="errors",side="baseline"} 99.9',
    ]);
    expect(await samples(metrics, 'rollout_check_samples')).toEqual([
      '{check="errors",side="candidate"} 120',
      '{check="errors",side="baseline"} 1100',
    ]);
  });

  test('what is unknown has no series: a zero would be a lie', async () => {
    const { last: _, ...pending } = run({ state: 'Pending' });
    const { actualWeight: __, verdict: ___, ...facts } = rolloutFacts();
    const metrics = metricsOf(() => ({ ...facts, checks: [{ check: aCheck(), run: pending }] }));
    expect(await samples(metrics, 'rollout_actual_weight_percent')).toEqual([]);
    expect(await samples(metrics, 'rollout_score_percent')).toEqual([]);
    expect(await samples(metrics, 'rollout_check_value')).toEqual([]);
    expect(await samples(metrics, 'version_open_work')).toEqual(['{version="v0"} 3']);
    expect((await samples(metrics, 'rollout_verdict')).every((line) => line.endsWith(' 0'))).toBe(true);
  });

  test('a service that never had one shows zeros, and names no version and no check', async () => {
    const metrics = metricsOf(() => undefined);
    for (const name of ['rollout_state', 'rollout_step', 'rollout_verdict', 'rollout_set_weight_percent']) {
      const lines = await samples(metrics, name);
      expect(lines).not.toEqual([]);
      expect(lines.every((line) => line.endsWith(' 0'))).toBe(true);
    }
    expect(await samples(metrics, 'rollout_info')).toEqual([]);
    expect(await samples(metrics, 'rollout_check_state')).toEqual([]);
    expect(await samples(metrics, 'rollout_last_abort_info')).toEqual([
      '{version="None",outcome="None",reason="None"} 0',
    ]);
  });

  test('a check that the next rollout does not have is gone', async () => {
    let shown = rolloutFacts();
    const metrics = metricsOf(() => shown);
    expect(await samples(metrics, 'rollout_check_state')).not.toEqual([]);
    shown = rolloutFacts({ checks: [] });
    expect((await metrics.scrape()).body).not.toContain('check="errors"');
  });
});

describe('a scrape', () => {
  test('is whole, also while another is made: neither empties what the other shows', async () => {
    const metrics = metricsOf(() => rolloutFacts());
    const withoutTimes = async (): Promise<string[]> =>
      (await metrics.scrape()).body
        .split('\n')
        .filter((line) => /^switchyard_(rollout|version|service)_/.test(line));
    const alone = await withoutTimes();
    expect(alone.length).toBeGreaterThan(50);
    expect(await Promise.all([withoutTimes(), withoutTimes(), withoutTimes()])).toEqual([
      alone,
      alone,
      alone,
    ]);
  });

  test('that could not read the state fails, and the next one is made', async () => {
    let broken = true;
    const metrics = metricsOf(() => {
      if (broken) throw new Error('no state');
      return rolloutFacts();
    });
    await expect(metrics.scrape()).rejects.toThrow('no state');
    broken = false;
    expect(await samples(metrics, 'rollout_steps')).toEqual(['{} 3']);
  });

  test('leaves turns to others: a push to proxies does not wait for all of it', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const services = Array.from({ length: 200 }, (_, index) => ({
      record: serviceRecord({ name: `service-${index}` }),
      versions: [],
      alerts: [],
      rollout: rolloutFacts(),
    }));
    metrics.follow(() => ({ ready: true, publication: 1, proxies: [], accessLog: NO_REPORTS, services }));
    let turns = 0;
    let scraping = true;
    const takeTurns = (): void => {
      turns += 1;
      if (scraping) setImmediate(takeTurns);
    };
    setImmediate(takeTurns);
    await metrics.scrape();
    scraping = false;
    expect(turns).toBeGreaterThan(50);
  });
});
