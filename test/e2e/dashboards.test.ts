/**
 * Every panel of every dashboard, and every rule, against a real Prometheus that scrapes a real controller and a real
 * Envoy with traffic: one service in the middle of a verified shift, another after a flip, a rollback and a drain. A
 * query that answers nothing, or nothing but NaN, fails.
 */
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { dashboardFiles } from '../../scripts/dashboards/all.ts';
import {
  type Answered,
  askLabelValues,
  askNow,
  askRange,
  type Shown,
  untilAnswered,
} from '../support/dashboards/ask.ts';
import { panelsOf } from '../support/dashboards/lint.ts';
import { type DashboardModel, filled, type TargetModel } from '../support/dashboards/model.ts';
import { selectorsIn } from '../support/dashboards/promql.ts';
import { allRules, RULE_FILES } from '../support/dashboards/rules.ts';
import { freePort } from '../support/free-port.ts';
import { type PrometheusServer, prometheusProgram, startPrometheus } from '../support/prometheus.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { type Site, useSite } from '../support/system/site.ts';
import { reportFields, WatcherClient } from '../support/watcher-client.ts';
import { watcherReport } from '../support/watchers.ts';

/** Enough for panels of errors, and far within the limit of the check. */
const FAULTS = { failPercent: 2, delayMs: 0, failFor: 'Everyone' } as const;
const FILLING = { rateInterval: '10s', range: '5m' };
const began = Date.now() / 1000;
const shown = (): Shown => ({ from: began, to: Date.now() / 1000, step: 1 });

let prometheus: PrometheusServer;
// Where there is none, each test counts as not run.
beforeEach(() => void prometheusProgram('prometheus'));
const watcherPort = await freePort();
useSite(async (opened) => {
  await opened.start(['--allow-commands', `--watcher-address=127.0.0.1:${watcherPort}`]);
  await prepare(opened);
});

async function prepare(opened: Site): Promise<void> {
  const document = await documentsOf(opened);
  await opened.apply(document('manager', 'v1'), document('other', 'v1'));
  const envoy = await opened.gateway({ name: 'gateway' });
  await opened.inSync('gateway');
  opened.defer(sendTraffic([document('manager', 'v1'), document('other', 'v1')]));
  prometheus = await startPrometheus({
    jobs: [
      { job: 'switchyard', targets: [opened.controller.httpAddress] },
      { job: 'envoy', targets: [new URL(envoy.admin).host], path: '/stats/prometheus' },
    ],
    scrapeInterval: 1000,
    rules: RULE_FILES.map((file) => resolve(file)),
  });
  opened.defer(() => prometheus.stop());
  await prometheus.scraped(3);

  // A flip, a rollback and a drain of one service; Prometheus sees each of them happen.
  const reason = ['--reason', 'a test'];
  await deploy(opened, document('other', 'v2'));
  await untilAnswered(prometheus, 'switchyard_rollout_state{service="other",state="Paused"} == 1');
  await opened.ok('promote', 'other', ...reason);
  await untilAnswered(prometheus, 'switchyard_rollout_state{service="other",state="Succeeded"} == 1');
  await opened.ok('rollback', 'other', ...reason, '--yes');
  await untilAnswered(prometheus, 'switchyard_traffic_changes_total{service="other",change="Rollback"} == 1');
  await opened.ok('drain', 'other', 'v2', ...reason, '--yes');
  await untilAnswered(prometheus, 'switchyard_version_open_work{service="other",version="v2"}');

  // The other stands in the middle of a shift that its checks have passed, and waits for an approval.
  await deploy(opened, document('manager', 'v2', verified(prometheus.url)));
  await untilAnswered(prometheus, 'switchyard_rollout_set_weight_percent{service="manager"} == 50');
  await untilAnswered(prometheus, 'switchyard_rollout_actual_weight_percent{service="manager"} > 0');
  await untilAnswered(prometheus, 'switchyard_rollout_check_state{service="manager",state="Passed"} == 1');
  await withDelegates(opened, document);
  await prometheus.scraped(5);
}

/** A third service, whose delegates Prometheus counts: its rollout has them, and waits for an approval. */
async function withDelegates(opened: Site, document: MakeDocument): Promise<void> {
  const query =
    'sum by (tenant) (label_replace(switchyard_version_ready_endpoints{service="fleet",version="{{version}}"}, "tenant", "acme", "", ""))';
  const more = {
    delegates: {
      promql: { query, prometheus: { url: prometheus.url, scrapeInterval: '1s' }, tenantLabel: 'tenant' },
    },
    tenantKey: { header: 'x-tenant-id', allow: { everywhere: true } },
    traffic: { steps: [50, 100], approvals: [100], promotion: 'Automatic' },
  };
  await opened.apply(document('fleet', 'v1', more));
  const client = new WatcherClient(watcherPort);
  opened.defer(async () => client.close());
  const watcher = client.follow({ id: 'box-1', service: 'fleet', tenant: 'acme' });
  watcher.report(reportFields(watcherReport(0, { v1: 'Ready' })));
  await watcher.answer(1);
  await untilAnswered(prometheus, 'switchyard_delegates_connected{service="fleet",version="v1"} > 0');
  await deploy(opened, document('fleet', 'v2', more));
  watcher.report(reportFields(watcherReport(0, { v1: 'Ready', v2: 'CrashLooping' })));
  await untilAnswered(prometheus, 'switchyard_rollout_delegates_expected{service="fleet"} > 0');
  await untilAnswered(prometheus, 'switchyard_rollout_set_weight_percent{service="fleet"} == 50');
  await untilAnswered(
    prometheus,
    'switchyard_delegates{service="fleet",version="v2",state="CrashLooping"} == 1',
  );
}

type MakeDocument = (name: 'manager' | 'other' | 'fleet', version: string, more?: object) => ServiceDocument;

/** Documents of services with two versions that run within this process. */
async function documentsOf(opened: Site): Promise<MakeDocument> {
  const ports = { manager: await freePort(), other: await freePort(), fleet: await freePort() };
  const versions = await Promise.all(
    ['v1', 'v2'].map(async (name) => ({
      name,
      addresses: [(await opened.manager(name, name, FAULTS)).address],
    })),
  );
  return (name, version, more = {}) => {
    const port = ports[name];
    return {
      name,
      version,
      listeners: [{ name, port, accessLog: true }],
      runtime: { endpoints: { versions } },
      more,
    };
  };
}

/** A shift in two steps with copies, verified by limits and by comparison; the flip waits for an operator. */
const verified = (url: string): object => ({
  traffic: { steps: [50, 100], approvals: [100], mirror: { percent: 50 } },
  verification: {
    prometheus: { url, scrapeInterval: '1s' },
    checks: [
      { name: 'smoke', http: { path: '/healthz' }, interval: '1s', count: 1 },
      { name: 'errors', builtin: { metric: 'SuccessRate' }, limit: { min: 50 }, ...often },
      { name: 'latency', builtin: { metric: 'LatencyP99' }, limit: { max: 5000 }, ...often },
      { name: 'slower', builtin: { metric: 'LatencyP50' }, compare: { tolerance: 50 }, ...often },
    ],
  },
});
const often = { interval: '3s', count: 2, at: ['Shift'], minimumSamples: 5 };

async function deploy(opened: Site, document: ServiceDocument): Promise<void> {
  const [file = ''] = await opened.files(document);
  await opened.ok('apply', '-f', file, '--reason', 'a test');
}

/** Default, pinned and refused requests to each listener, until it is stopped. */
function sendTraffic(documents: readonly ServiceDocument[]): () => Promise<void> {
  const stop = new AbortController();
  const headers = (count: number): Record<string, string> => {
    const tenant = { 'x-tenant-id': `tenant-${count % 40}` };
    if (count % 10 === 1) return { ...tenant, 'x-delegate-version': 'v1' };
    return count % 10 === 2 ? { ...tenant, 'x-delegate-version': 'v9' } : tenant;
  };
  const send = async (port: number): Promise<void> => {
    for (let count = 0; !stop.signal.aborted; count += 1) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: headers(count) });
      await response.arrayBuffer();
      await sleep(10);
    }
  };
  const ports = documents.flatMap(({ listeners }) => listeners.map(({ port }) => port));
  const sending = Promise.all(ports.map(send));
  return async () => {
    stop.abort();
    await sending;
  };
}

describe.each(dashboardFiles())('$file', ({ text }) => {
  const dashboard = JSON.parse(text) as DashboardModel;
  const panels = panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
    targets.map((target) => ({ panel: `${title} ${target.refId}`, target })),
  );

  test('every panel shows something', { timeout: 60_000 }, async () => {
    const silent = await Promise.all(
      panels.map(async ({ panel, target }) => findingOf(panel, target, await ask(target))),
    );
    expect(silent.filter((finding) => finding !== undefined)).toEqual([]);
  });

  test('every variable has values, and every mark is drawn', async () => {
    for (const { name, type, query } of dashboard.templating.list) {
      if (type !== 'query') continue;
      const values = await askLabelValues(prometheus, (query as { query: string }).query, FILLING);
      expect({ name, hasValues: values.length > 0 }).toEqual({ name, hasValues: true });
    }
    for (const { name, expr = '' } of dashboard.annotations?.list ?? []) {
      const marks = await askRange(prometheus, filled(expr, FILLING), shown());
      expect({ name, marks: marks.length }).toEqual({ name, marks: 1 });
    }
  });
});

function ask({ expr = '', instant }: TargetModel): Promise<readonly Answered[]> {
  const query = filled(expr, FILLING);
  return instant === true ? askNow(prometheus, query) : askRange(prometheus, query, shown());
}

/** What is wrong with an answer; undefined where nothing is. */
function findingOf(panel: string, { expr, legendFormat = '' }: TargetModel, answer: readonly Answered[]) {
  if (answer.length === 0) return `${panel} shows nothing: ${expr}`;
  if (!answer.some(({ values }) => values.some((value) => Number.isFinite(value))))
    return `${panel} shows NaN: ${expr}`;
  const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  const isNamed = answer.some((series) => labels.every((label) => (series.labels[label] ?? '') !== ''));
  return isNamed ? undefined : `${panel} has no series with ${labels.join(', ')}: ${expr}`;
}

test.each(allRules())('what $name reads is there', async ({ record, expr }) => {
  const selectors = selectorsIn(expr).map(({ metric, matchers }) => `${metric}{${matchers.join(',')}}`);
  const read = record === undefined ? selectors : [...selectors, record];
  const answers = await Promise.all(read.map((selector) => askRange(prometheus, selector, shown())));
  expect(read.filter((_, index) => answers[index]?.length === 0)).toEqual([]);
});

test('the alert of the rollout that was rolled back fires, and no critical one does', async () => {
  const firing = await askNow(prometheus, 'ALERTS{alertstate="firing"}');
  const names = firing.map(
    ({ labels }) => `${labels['severity']} ${labels['alertname']} ${labels['service']}`,
  );
  expect(names).toContain('warning SwitchyardRolloutNotSuccessful other');
  expect(names.filter((name) => name.startsWith('critical'))).toEqual([]);
});
