/** Prometheus' own tool takes our rules, our example of a configuration and our metrics, and its tests of rules pass. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { serviceName } from '../../src/model/names.ts';
import { allMetrics } from '../support/all-metrics.ts';
import { RULE_FILES, RULE_TESTS, RULES_FOLDER } from '../support/dashboards/rules.ts';
import { prometheusProgram } from '../support/prometheus.ts';
import { NO_REPORTS, rolloutFacts } from '../support/rollout-facts.ts';
import { serviceRecord } from '../support/stored-records.ts';

function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(prometheusProgram('promtool'), args, {
    encoding: 'utf8',
    input,
  });
  return { status, output: stdout + stderr };
}

test('the rules and the example configuration are valid', () => {
  const config = join(RULES_FOLDER, 'prometheus.example.yaml');
  expect(promtool(['check', 'rules', ...RULE_FILES])).toMatchObject({ status: 0 });
  expect(promtool(['check', 'config', config])).toMatchObject({ status: 0 });
});

test('every alert fires when it should, and not else', () => {
  const { status, output } = promtool(['test', 'rules', ...RULE_TESTS]);
  expect(output).not.toContain('FAILED');
  expect(status).toBe(0);
});

/** Names that the client for Node chose for its own metrics. */
const OF_THE_CLIENT = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

test('what a scrape answers is as Prometheus wants it, but for names of the client itself', async () => {
  const metrics = allMetrics();
  metrics.follow(() => ({
    ready: true,
    publication: 1,
    proxies: [],
    accessLog: NO_REPORTS,
    services: [
      { record: serviceRecord({ name: 'manager' }), versions: [], alerts: [], rollout: rolloutFacts() },
    ],
  }));
  metrics.loop.observeRounds(serviceName('manager'))('changed');
  const { output } = promtool(['check', 'metrics'], (await metrics.scrape()).body);
  const warnings = output.split('\n').filter((line) => line !== '');
  expect(warnings.filter((line) => !OF_THE_CLIENT.includes(line.split(' ')[0] ?? ''))).toEqual([]);
});
