/**
 * Several services on one controller: they share a listener by domain or have listeners of their own, and a change of
 * one is no business of the others, nor of proxies that do not carry it.
 */
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { rawHttp1 } from '../support/raw-http1.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { heldVersions, updateCounters } from '../support/system/held.ts';
import { type Load, steady, UNHURT } from '../support/system/load.ts';
import { type RunningManager, type Site, useSite } from '../support/system/site.ts';
import { STREAM_FACES } from '../support/traffic/samples.ts';

/** `gateway` is shared by alpha, beta and delta; delta has `inner` too; `side` is gamma's alone. */
const ports = { gateway: 0, inner: 0, side: 0 };
/** Carries `gateway` and `inner`. */
let edge: Envoy;
/** Knows gamma only. */
let side: Envoy;
/** Where delta's addresses are listed, and the first of its instances. */
let file = '';
let delta: RunningManager;
let services: Readonly<Record<'alpha' | 'beta' | 'gamma' | 'delta', ServiceDocument>>;

const theSite = useSite(async (site) => {
  await site.start([]);
  for (const name of ['gateway', 'inner', 'side'] as const) ports[name] = await freePort();
  file = join(site.folder, 'delta-endpoints.yaml');
  services = await fourServices(site);
  edge = await site.gateway({ name: 'edge', listeners: ['gateway', 'inner'] });
  side = await site.gateway({ name: 'side', protocol: 'delta', services: ['gamma'] });
  for (const service of Object.values(services)) await site.apply(service);
  // Both versions of alpha and beta are up; v1 came first and is primary.
  await site.apply({ ...services.alpha, version: 'v2' }, { ...services.beta, version: 'v2' });
  await site.inSync('edge', 'side');
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

describe('several services on one controller', () => {
  it('are reached by listener and host, each in the version that it has by itself', async () => {
    expect(await reached('gateway', 'alpha.test')).toBe('alpha-v1');
    expect(await reached('gateway', 'beta.test')).toBe('beta-v1');
    expect(await reached('gateway', `beta.test:${ports.gateway}`)).toBe('beta-v1');
    expect(await reached('gateway', 'delta.test')).toBe('delta-v1');
    expect(await reached('inner', 'any.test')).toBe('delta-v1');
    expect(await reached('side', 'any.test')).toBe('gamma-v1');
    expect(await reached('gateway', 'alpha.test', 'v2')).toBe('alpha-v2');
    expect(await reached('gateway', 'beta.test', 'v2')).toBe('beta-v2');
    // A version of another service is no version of this one.
    expect(await reached('gateway', 'delta.test', 'v2')).toBe('status 409');
    expect(await reached('inner', 'any.test', 'v2')).toBe('status 409');
    expect(await reached('gateway', 'unknown.test')).toBe('status 404');
  });

  it('are given to a proxy as its bootstrap asks: these listeners, or these services, and no more', async () => {
    expect(Object.keys(await heldVersions(edge))).toEqual([
      'clusters/alpha__v1',
      'clusters/alpha__v2',
      'clusters/beta__v1',
      'clusters/beta__v2',
      'clusters/delta__v1',
      'listeners/gateway',
      'listeners/inner',
      'routes/gateway',
      'routes/inner',
    ]);
    expect(Object.keys(await heldVersions(side))).toEqual([
      'clusters/gamma__v1',
      'listeners/side',
      'routes/side',
    ]);
  });

  it('do not notice the flip of another: one route table is sent to the proxies that carry it, nothing else', async () => {
    const alpha = await loadOf('gateway', 'alpha.test', ['v1', 'v2']);
    const others = await Promise.all([
      loadOf('gateway', 'beta.test', ['v1', 'v2']),
      loadOf('inner', 'delta.test', ['v1']),
      loadOf('side', 'gamma.test', ['v1']),
    ]);
    const before = await Promise.all([edge, side].map(look));

    const forward = alpha.begin({ from: 'v1', to: 'v2', weight: 100, active: ['v1', 'v2'] });
    await site.ok('flip', 'alpha', 'v2');
    forward.converged(await alpha.servedBy('v2'));
    const [edgeAfter, sideAfter] = await Promise.all([edge, side].map(look));
    expect(sideAfter).toEqual(before[1]);
    // Routes over SotW have one version for each table; only that of the shared listener is another one.
    expect(differences(before[0]?.held ?? {}, edgeAfter?.held ?? {})).toEqual(['routes/gateway']);
    const raised = differences(before[0]?.counters ?? {}, edgeAfter?.counters ?? {});
    expect(raised.filter((name) => !name.startsWith('http.gateway.rds.gateway.'))).toEqual([]);
    expect(raised).toContain('http.gateway.rds.gateway.config_reload');

    await Promise.all([alpha, ...others].map((load) => load.goOn()));
    const back = alpha.begin({ from: 'v2', to: 'v1', weight: 100, active: ['v1', 'v2'] });
    await site.ok('rollback', 'alpha');
    back.converged(await alpha.servedBy('v1'));
    await Promise.all([alpha, ...others].map((load) => load.goOn()));
    for (const load of [alpha, ...others]) {
      const verdict = await load.stop();
      expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
      expect(verdict.streamsOpened).toBeGreaterThan(0);
    }
  });
});

describe('a file of endpoints', () => {
  it('that is replaced moves the instances without a failed request, and streams end where they began', async () => {
    const load = await loadOf('inner', 'delta.test', ['v1']);
    const open = STREAM_FACES.length * 2;
    await eventually(() => delta.open() === open, { what: `${open} streams on the first instance` });
    const next = await site.manager('v1', 'delta-v1-moved');
    const { held, counters } = await look(edge);
    await replaceFile(listing([next.address]));
    await eventually(async () => (await addresses('delta')).join() === next.address, {
      what: 'the new address',
    });
    await site.inSync('edge', 'side');
    await eventually(async () => (await reached('inner', 'delta.test')) === 'delta-v1-moved');
    // Instances are endpoints: neither listeners nor clusters nor routes were sent again.
    expect((await look(edge)).held).toEqual(held);
    expect(differences(counters, (await look(edge)).counters)).toEqual(
      expect.arrayContaining(['cluster.delta__v1__.update_success']),
    );
    await load.goOn();
    expect(await reached('inner', 'delta.test')).toBe('delta-v1-moved');
    expect(delta.open()).toBe(open);
    expect(await load.stop()).toMatchObject(UNHURT);
  });

  it('that is broken or gone keeps its last good instances and shows what is wrong, until it is good again', async () => {
    const load = await loadOf('inner', 'delta.test', ['v1']);
    const known = await addresses('delta');
    await replaceFile('versions:\n  - name: v1\n    addresses: ["127.0.0.1:no-port"]\n');
    const alerts = async (): Promise<string> => site.ok('get', 'services', 'delta');
    await eventually(async () => (await alerts()).includes('versions[0].addresses[0]'), {
      what: 'the fault of the file in the list of services',
    });
    expect(await alerts()).toMatch(
      /delta-endpoints\.yaml: line 3: .*no-port.* \(the addresses last read stay in use\)/,
    );
    expect(await addresses('delta')).toEqual(known);

    await rename(file, `${file}.away`);
    await eventually(async () => (await alerts()).includes('there is no such file'), {
      what: 'the lack of the file in the list of services',
    });
    expect(await addresses('delta')).toEqual(known);

    await replaceFile(listing(known));
    await expect.poll(async () => (await site.service('delta')).alerts, { timeout: 10_000 }).toEqual([]);
    await load.goOn();
    expect(await load.stop()).toMatchObject(UNHURT);
  });
});

describe('a file of endpoints that no longer lists the primary', () => {
  it('takes no request away and shows an alert, until it lists it again', async () => {
    const load = await loadOf('inner', 'delta.test', ['v1']);
    const known = await addresses('delta');
    await replaceFile('versions: []\n');
    const alerts = async (): Promise<string> => (await site.service('delta')).alerts.join('\n');
    await expect
      .poll(alerts, { timeout: 10_000 })
      .toMatch(/delta-endpoints\.yaml no longer lists v1; its last addresses stay in use/);
    expect(await addresses('delta')).toEqual(known);
    await load.goOn();
    await replaceFile(listing(known));
    await expect.poll(alerts, { timeout: 10_000 }).toBe('');
    expect(await load.stop()).toMatchObject(UNHURT);
  });
});

describe('a service that is deleted', () => {
  it('leaves the listener that it shared, and the streams of the others on it, as they are', async () => {
    const others = await Promise.all([
      loadOf('gateway', 'beta.test', ['v1', 'v2']),
      loadOf('gateway', 'delta.test', ['v1']),
    ]);
    const before = await Promise.all([edge, side].map(look));
    await site.ok('delete', 'service', 'alpha', '--yes', '--reason=test');
    await site.inSync('edge', 'side');
    await eventually(async () => (await reached('gateway', 'alpha.test')) === 'status 404');
    const [edgeAfter, sideAfter] = await Promise.all([edge, side].map(look));
    expect(sideAfter).toEqual(before[1]);
    expect(Object.keys(edgeAfter?.held ?? {})).not.toContain('clusters/alpha__v1');
    for (const listener of ['listeners/gateway', 'listeners/inner'])
      expect(edgeAfter?.held[listener]).toBe(before[0]?.held[listener]);
    const raised = differences(before[0]?.counters ?? {}, edgeAfter?.counters ?? {});
    expect(raised.filter((name) => name.startsWith('listener_manager.'))).toEqual([]);
    await Promise.all(others.map((load) => load.goOn()));
    for (const load of others) expect(await load.stop()).toMatchObject(UNHURT);
  });
});

async function fourServices(at: Site): Promise<typeof services> {
  const listed = async (version: string, id: string) => ({
    name: version,
    addresses: [(await at.manager(version, id)).address],
  });
  const shared = (host: string) => ({ name: 'gateway', port: ports.gateway, domains: [host] });
  const twoVersions = async (name: 'alpha' | 'beta'): Promise<ServiceDocument> => ({
    name,
    version: 'v1',
    listeners: [shared(`${name}.test`)],
    runtime: {
      endpoints: { versions: [await listed('v1', `${name}-v1`), await listed('v2', `${name}-v2`)] },
    },
  });
  delta = await at.manager('v1', 'delta-v1');
  await replaceFile(listing([delta.address]));
  return {
    alpha: await twoVersions('alpha'),
    beta: await twoVersions('beta'),
    gamma: {
      name: 'gamma',
      version: 'v1',
      listeners: [{ name: 'side', port: ports.side }],
      runtime: { endpoints: { versions: [await listed('v1', 'gamma-v1')] } },
    },
    delta: {
      name: 'delta',
      version: 'v1',
      listeners: [shared('delta.test'), { name: 'inner', port: ports.inner }],
      runtime: { endpoints: { file } },
    },
  };
}

/** The instance that answers, or the status. */
async function reached(listener: keyof typeof ports, host: string, pin?: string): Promise<string> {
  const lines = pin === undefined ? [] : [`x-delegate-version: ${pin}`];
  const answer = await rawHttp1(ports[listener], lines, { host });
  if (answer?.status !== 200) return `status ${answer?.status}`;
  return (JSON.parse(answer.body) as { instance: string }).instance;
}

/** Clients of one service, with streams of every kind; v1 is primary. */
function loadOf(listener: keyof typeof ports, authority: string, active: readonly string[]): Promise<Load> {
  return site.load({
    address: { host: '127.0.0.1', port: ports[listener], authority },
    requestsPerSecond: 20,
    first: steady('v1', active),
    streamPins: active,
  });
}

async function look(envoy: Envoy) {
  return { held: await heldVersions(envoy), counters: await updateCounters(envoy) };
}

/** The names whose values differ, with those that only one of the two has. */
function differences(
  one: Readonly<Record<string, unknown>>,
  other: Readonly<Record<string, unknown>>,
): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => one[name] !== other[name])
    .toSorted();
}

async function addresses(service: string): Promise<string[]> {
  const { versions } = await site.service(service);
  return versions.flatMap(({ instances }) => instances.map(({ address }) => address));
}

function listing(all: readonly string[]): string {
  return `versions:\n  - name: v1\n    addresses: ${JSON.stringify(all)}\n`;
}

/** As tools do it: the new content is complete before it has the name. */
async function replaceFile(text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
