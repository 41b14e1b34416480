/**
 * Whole rollouts with the real parts: an Envoy whose statistics a Prometheus scrapes, versions that are good or bad, and
 * traffic that never stops. The controller walks by itself; nobody flips. The tests tell one story in their order.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { VERSION_MARK, VERSION_STATE } from '../../src/admin/enums.ts';
import { parseReport } from '../../src/cli/report/parse.ts';
import type { RolloutReport } from '../../src/model/report.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type PrometheusServer, startPrometheus } from '../support/prometheus.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { type Load, steady, UNHURT } from '../support/system/load.ts';
import { rolloutBecomes } from '../support/system/rollouts.ts';
import { type RunningManager, type Site, useSite } from '../support/system/site.ts';
import type { Pending } from '../support/traffic/history.ts';
import { shareTouchedBy } from '../support/traffic/judge.ts';

const FIRST_WEIGHT = 25;
const active = ['v1', 'v2'];

let prometheus: PrometheusServer;
let gatewayPort = 0;
const managers = new Map<string, RunningManager>();

const theSite = useSite(async (site) => {
  await site.start([]);
  gatewayPort = await freePort();
  const gateway = await site.gateway({ name: 'gw' });
  prometheus = await startPrometheus({
    jobs: [{ job: 'envoy', targets: [new URL(gateway.admin).host], path: '/stats/prometheus' }],
    scrapeInterval: 500,
  });
  site.defer(() => prometheus.stop());
  for (const version of active) managers.set(version, await site.manager(version, `${version}-1`));
  managers.set('v3', await site.manager('v3', 'v3-1', { failPercent: 5, delayMs: 5, failFor: 'Everyone' }));
  await site.apply(document({ version: 'v1', mirrored: 50 }));
  await site.inSync('gw');
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

/** `mirrored`: percent of the traffic that is copied to a candidate; with none, it is first measured when it has a share. */
function document({ version, mirrored }: { version: string; mirrored: number }): ServiceDocument {
  const mirror = mirrored === 0 ? {} : { mirror: { percent: mirrored, methods: ['GET'] } };
  return {
    name: 'manager',
    version,
    listeners: [{ name: 'gateway', port: gatewayPort, accessLog: true }],
    runtime: {
      endpoints: { versions: [...managers].map(([name, { address }]) => ({ name, addresses: [address] })) },
    },
    more: {
      traffic: { steps: [FIRST_WEIGHT, 100], ...mirror },
      verification: {
        prometheus: { url: prometheus.url, scrapeInterval: '0.5s' },
        soak: '2s',
        checks: [
          {
            name: 'errors',
            builtin: { metric: 'SuccessRate' },
            limit: { min: 99 },
            interval: '1.5s',
            // Enough that 5 percent of errors in a quarter of this traffic are as good as never missed.
            count: mirrored === 0 ? 4 : 2,
            at: mirrored === 0 ? ['Shift', 'Soak'] : ['Verify', 'Shift', 'Soak'],
          },
        ],
      },
    },
  };
}

function load({
  primary,
  ...more
}: {
  primary: string;
  active?: string[];
  badVersions?: string[];
}): Promise<Load> {
  return site.load({
    address: { host: '127.0.0.1', port: gatewayPort },
    requestsPerSecond: 200,
    first: steady(primary, more.active ?? active),
    badVersions: more.badVersions ?? [],
  });
}

/** Both versions may serve from now on. */
function moving(of: Load, from: string, to: string): void {
  of.begin({ from, to, weight: 50, active });
}

/** Resolves when the stage is in force and has met traffic. */
async function settled(of: Load, last: Pending): Promise<void> {
  await site.inSync('gw');
  last.converged(await of.inForce());
  await of.goOn();
}

/** The report, when all that was reported of the rollout has arrived. */
function provedReport(): Promise<RolloutReport> {
  return eventually(
    async () => {
      const report = parseReport(await site.ok('report', 'manager', '-o', 'json'));
      return report.requests.certainty.kind === 'Proved' ? report : undefined;
    },
    { what: 'a report with proved totals', within: 30_000, every: 200 },
  );
}

describe('a rollout walks by itself', () => {
  it('to the end, when the new version is good, and no request fails; its report proves that', async () => {
    const traffic = await load({ primary: 'v1' });
    moving(traffic, 'v1', 'v2');
    await site.ok('deploy', 'manager', 'v2', '--reason', 'a good one');
    await rolloutBecomes(site, 'manager', 'Succeeded', 'Aborted', 'RolledBack', 'Failed');
    await settled(traffic, traffic.begin(steady('v2', active)));
    expect(await traffic.stop()).toMatchObject(UNHURT);
    expect((await site.version('manager', 'v2'))?.state).toBe(VERSION_STATE.Primary);

    const report = await provedReport();
    expect(report.rollout.state).toBe('Succeeded');
    expect(report.impacted).toEqual({ value: 0, certainty: { kind: 'Proved' } });
    expect(report.requests.value).toBeGreaterThan(1000);
    expect(report.decisions.filter(({ action }) => action === 'Flip' || action === 'SetWeight')).toEqual([]);
  });

  it('back by one flip after its success, when an operator says so', async () => {
    const traffic = await load({ primary: 'v2' });
    const before = (await site.call('getInfo', {})).publication;
    moving(traffic, 'v2', 'v1');
    await site.ok('rollback', 'manager', '--yes', '--reason', 'we changed our mind');
    const view = await rolloutBecomes(site, 'manager', 'RolledBack');
    await settled(traffic, traffic.begin(steady('v1', active)));
    expect(view.rollout?.because).toMatch(/^rolled back by /);
    expect((await site.call('getInfo', {})).publication - before).toBe(1n);
    expect(await traffic.stop()).toMatchObject(UNHURT);
  });

  it('not past a freeze, while abort still ends it', async () => {
    const traffic = await load({ primary: 'v1' });
    await site.ok('freeze', 'manager', '--reason', 'a holiday');
    await site.ok('retry', 'manager', '--reason', 'once more');
    const { rollout } = await rolloutBecomes(site, 'manager', 'Waiting');
    expect(rollout).toMatchObject({ stateReason: 'Frozen', attempt: 2 });
    await site.ok('abort', 'manager', '--yes', '--reason', 'not today');
    await rolloutBecomes(site, 'manager', 'Aborted');
    await traffic.goOn();
    // The history knows of no stage but v1: a request that v2 had answered would be a misrouted one.
    expect(await traffic.stop()).toMatchObject(UNHURT);
  });

  it('again after retry, by measurements of its own', async () => {
    const traffic = await load({ primary: 'v1' });
    moving(traffic, 'v1', 'v2');
    await site.ok('unfreeze', 'manager', '--reason', 'the holiday is over');
    await site.ok('retry', 'manager', '--reason', 'now');
    const { rollout } = await rolloutBecomes(site, 'manager', 'Succeeded', 'Aborted', 'RolledBack', 'Failed');
    await settled(traffic, traffic.begin(steady('v2', active)));
    expect(rollout?.because).toMatch(/^errors: /);
    expect(await traffic.stop()).toMatchObject(UNHURT);
    const { measurements } = await site.call('listMeasurements', { rollout: rollout?.id ?? '' });
    const steps = measurements.filter(({ attempt }) => attempt === 3).map(({ step }) => step);
    expect([...new Set(steps)]).toEqual(['Verify', 'Shift-25', 'Soak']);
  });

  it('back by itself, when the new version is bad; it is quarantined and has touched a bounded share', async () => {
    // v1 makes room for v3 (retention), so that it may be refused at any time.
    const traffic = await load({ primary: 'v2', active: ['v2'], badVersions: ['v3'] });
    moving(traffic, 'v2', 'v3');
    // It comes back at a time that nobody is told of.
    const back = traffic.begin(steady('v2'));
    const [file] = await site.files(document({ version: 'v3', mirrored: 0 }));
    await site.ok('apply', '-f', file ?? '', '--reason', 'a bad one');
    const { rollout } = await rolloutBecomes(site, 'manager', 'Succeeded', 'Aborted', 'RolledBack', 'Failed');
    await settled(traffic, back);
    expect(rollout).toMatchObject({
      stateReason: 'ChecksFailed',
      because: expect.stringMatching(/^errors: .*success rate/),
      step: { weight: FIRST_WEIGHT },
    });
    expect((await site.version('manager', 'v3'))?.mark?.kind).toBe(VERSION_MARK.Quarantined);
    expect((await site.version('manager', 'v2'))?.state).toBe(VERSION_STATE.Primary);
    const { evidence, ...verdict } = await traffic.stop();
    expect(verdict).toMatchObject(UNHURT);
    const share = shareTouchedBy(['v3'], evidence.exchanges);
    expect(share).toBeGreaterThan(0);
    // The tenants are fifty: their share can be somewhat above the weight.
    expect(share).toBeLessThan((1.6 * FIRST_WEIGHT) / 100);
  });
});
