/**
 * A Prometheus that does not answer, or answers nonsense, while a rollout is verified: nothing is promoted by it (rule 10),
 * at Verify and at Shift alike, and the rollout goes on by itself when it is cured. A real one, behind a faulty server.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { ROLLOUT_STEP } from '../../src/admin/enums.ts';
import type { RolloutView } from '../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import { eventually } from '../support/eventually.ts';
import { type Fault, type FaultyServer, startFaultyServer } from '../support/faulty-server.ts';
import { freePort } from '../support/free-port.ts';
import { type PrometheusServer, startPrometheus } from '../support/prometheus.ts';
import { sample } from '../support/seed.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { steady } from '../support/system/load.ts';
import { rolloutBecomes, rolloutOf } from '../support/system/rollouts.ts';
import { type Site, useSite } from '../support/system/site.ts';

const WEIGHT = 25;
/** More than the measurements that promote where they pass. */
const UNDECIDED = 3;

let prometheus: PrometheusServer;
let between: FaultyServer;

const theSite = useSite(async (site) => {
  await site.start([]);
  const port = await freePort();
  const gateway = await site.gateway({ name: 'gw' });
  prometheus = await startPrometheus({
    jobs: [{ job: 'envoy', targets: [new URL(gateway.admin).host], path: '/stats/prometheus' }],
    scrapeInterval: 500,
  });
  site.defer(() => prometheus.stop());
  between = await startFaultyServer(prometheus.url);
  site.defer(() => between.close());
  const versions = await Promise.all(
    ['v1', 'v2'].map(async (name) => ({
      name,
      addresses: [(await site.manager(name, `${name}-1`)).address],
    })),
  );
  await site.apply(document({ port, versions }));
  await site.inSync('gw');
  await site.load({
    address: { host: '127.0.0.1', port },
    requestsPerSecond: 150,
    first: steady('v1', ['v1', 'v2']),
  });
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

function document({ port, versions }: { port: number; versions: readonly object[] }): ServiceDocument {
  return {
    name: 'manager',
    version: 'v1',
    listeners: [{ name: 'gateway', port }],
    runtime: { endpoints: { versions } },
    more: {
      traffic: { steps: [WEIGHT, 100], mirror: { percent: 100, methods: ['GET'] } },
      verification: {
        prometheus: { url: between.url, scrapeInterval: '0.5s', timeout: '0.5s' },
        checks: [
          {
            name: 'errors',
            builtin: { metric: 'SuccessRate' },
            limit: { min: 99 },
            interval: '1.5s',
            count: 2,
          },
        ],
      },
    },
  };
}

type StepKind = keyof typeof ROLLOUT_STEP;

/** Resolves when the rollout is at the step. */
function reaches(kind: StepKind): Promise<RolloutView> {
  return eventually(
    async () => {
      const view = await rolloutOf(site, 'manager');
      return view.rollout?.step?.kind === ROLLOUT_STEP[kind] ? view : undefined;
    },
    { what: kind, within: 60_000, every: 50 },
  );
}

/** Resolves when more has been measured at the step than would have promoted it; rejects where that promoted it. */
async function isHeldAt(kind: StepKind): Promise<void> {
  const isMeasured = ({ checks }: RolloutView) => {
    const run = checks[0]?.run;
    return run !== undefined && run.errors + run.noData >= UNDECIDED;
  };
  const { rollout, setWeight, checks } = await eventually(
    async () => {
      const view = await rolloutOf(site, 'manager');
      return isMeasured(view) || view.rollout?.step?.kind !== ROLLOUT_STEP[kind] ? view : undefined;
    },
    { what: `${UNDECIDED} measurements that decide nothing at ${kind}`, within: 60_000, every: 50 },
  );
  expect(rollout?.step?.kind).toBe(ROLLOUT_STEP[kind]);
  expect(checks[0]?.run).toMatchObject({ passed: 0, failed: 0 });
  expect(setWeight).toBe(kind === 'Shift' ? WEIGHT : 0);
}

/** How something goes wrong, and how it ends. */
interface Trouble {
  readonly begin: () => void;
  readonly end: () => void;
}

function answers(fault: Fault): Trouble {
  return {
    begin: () => {
      between.fault = fault;
    },
    end: () => {
      between.fault = { kind: 'none' };
    },
  };
}

const error = JSON.stringify({ status: 'error', errorType: 'execution', error: 'too many samples' });
const TROUBLES: readonly (readonly [string, Trouble])[] = [
  ['is stopped', { begin: () => prometheus.signal('SIGSTOP'), end: () => prometheus.signal('SIGCONT') }],
  ['is too slow to answer', answers({ kind: 'silence' })],
  ['dies in the middle of its answers', answers({ kind: 'cut' })],
  [
    'answers NaN for every sample',
    answers({ kind: 'changed', change: (body) => body.replaceAll(/,"[^"]*"\]/g, ',"NaN"]') }),
  ],
  [
    'answers with nothing at all',
    answers({
      kind: 'changed',
      change: (body) => body.replace(/"result":\[.*\]/s, '"result":[]'),
    }),
  ],
  ['answers with an error in a body with status 200', answers({ kind: 'body', status: 200, body: error })],
];

describe('a Prometheus promotes nothing', () => {
  it.for(sample(TROUBLES, 2))('that %s', async ([, trouble]) => {
    trouble.begin();
    try {
      await site.ok('deploy', 'manager', 'v2', '--reason', 'a test');
      await reaches('Verify');
      await isHeldAt('Verify');
      trouble.end();
      await reaches('Shift');
      trouble.begin();
      await isHeldAt('Shift');
    } finally {
      trouble.end();
    }
    await site.ok('abort', 'manager', '--yes', '--reason', 'the next test');
    const { setWeight } = await rolloutBecomes(site, 'manager', 'Aborted');
    expect(setWeight).toBe(0);
  });
});
