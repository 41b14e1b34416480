/**
 * Two services of one group behind proxies of their own: their rollouts begin with one apply, take each step in one
 * publication, succeed together, and a rollback of one is a rollback of both. How long the proxies were mixed is told.
 */
import { beforeEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { rolloutBecomes } from '../support/system/rollouts.ts';
import { type Site, useSite } from '../support/system/site.ts';

const NAMES = ['alpha', 'beta'] as const;
const ports: Record<string, number> = {};
const addresses: Record<string, { name: string; addresses: string[] }[]> = {};

const theSite = useSite(async (site) => {
  await site.start([]);
  for (const name of NAMES) {
    ports[name] = await freePort();
    addresses[name] = [];
    for (const version of ['v1', 'v2']) {
      const { address } = await site.manager(version, `${name}-${version}`);
      addresses[name].push({ name: version, addresses: [address] });
    }
  }
  await site.apply(...documents('v1'));
  await site.gateway({ name: 'for-alpha', listeners: ['alpha'] });
  await site.gateway({ name: 'for-beta', listeners: ['beta'], protocol: 'delta' });
  await site.inSync('for-alpha', 'for-beta');
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

function documents(version: string): ServiceDocument[] {
  return NAMES.map((name) => ({
    name,
    version,
    listeners: [{ name, port: ports[name] ?? 0 }],
    runtime: { endpoints: { versions: addresses[name] } },
    more: { group: 'pair', traffic: { steps: [50, 100], promotion: 'Automatic' } },
  }));
}

/** Who answers a default request for a service. */
async function answering(name: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${ports[name]}/`);
  return ((await answer.json()) as { instance: string }).instance;
}

/** The times at which the rollouts of both entered a step, by the controller's events. */
async function entered(action: string, text: string): Promise<number[]> {
  const { events } = await site.call('listEvents', { limit: 500 });
  return events
    .filter((event) => event.action === action && event.message.includes(text))
    .map(({ at }) => Number(at?.seconds) * 1000 + (at?.nanos ?? 0) / 1e6);
}

it('takes each step of traffic and the success in one commit for both', async () => {
  await site.apply(...documents('v2'));
  for (const name of NAMES) await rolloutBecomes(site, name, 'Succeeded');
  for (const step of ['Shift-50', 'Shift-100']) {
    const times = await entered('EnterStep', `: ${step}: `);
    expect(times).toHaveLength(2);
    expect(new Set(times).size).toBe(1);
  }
  expect(new Set(await entered('RolloutSucceeded', '')).size).toBe(1);
  expect(await Promise.all(NAMES.map(answering))).toEqual(['alpha-v2', 'beta-v2']);
});

it('tells how long the proxies had old and new routes side by side', async () => {
  const report = JSON.parse(await site.ok('report', 'alpha', '-o', 'json')) as { mixedFor?: number };
  expect(report.mixedFor).toBeGreaterThanOrEqual(0);
});

it('rolls both back with one command', async () => {
  await site.ok('rollback', 'beta', '--reason', 'not as good as it seemed');
  for (const name of NAMES) await rolloutBecomes(site, name, 'RolledBack');
  const answers = () => Promise.all(NAMES.map(answering));
  await eventually(async () => (await answers()).every((instance) => instance.endsWith('-v1')));
  expect(await answers()).toEqual(['alpha-v1', 'beta-v1']);
});
