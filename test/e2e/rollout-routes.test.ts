/**
 * The routes of a whole rollout through a real Envoy over both dialects of xDS: who reaches the candidate at which step,
 * which requests are copied, and that a step changes routes only, cuts nothing, and is never refused.
 */
import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Instance } from '../../src/model/instance.ts';
import { listenerName, tenantName, versionName } from '../../src/model/names.ts';
import type { RolloutStep } from '../../src/model/rollout.ts';
import type { ServiceRecord } from '../../src/model/state.ts';
import { serviceRoutes } from '../../src/routing/table.ts';
import { bootstrap } from '../../src/xds/bootstrap.ts';
import { type EchoServer, startEcho } from '../support/echo.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { served } from '../support/gateway-world.ts';
import { rawHttp1 } from '../support/raw-http1.ts';
import { anInstance, aSpec, aVersion } from '../support/records.ts';
import { aRollout, recordAt, stepsOf } from '../support/rollout-walk.ts';
import { table } from '../support/tables.ts';
import { startXdsWorld, type XdsWorld } from '../support/xds-world.ts';

const policy = {
  cohort: { tenants: [tenantName('acme')], headers: [{ name: 'x-beta', value: '1' }] },
  mirror: { percent: 100, methods: ['GET'], grpcMethods: [] },
};
const STEPS = stepsOf([25, 100]);
const CHANGES = 'cluster_(added|modified|removed)|listener_(added|modified|removed)|listener_create_failure';
const REFUSALS = 'update_rejected$|no_cluster$|upstream_rq_5xx$';

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface World {
  readonly envoy: Envoy;
  readonly port: number;
  readonly echoes: Readonly<Record<'v1' | 'v2' | 'v3', EchoServer>>;
  /** Publishes the record's routes, and waits until the proxy has them. */
  take(record: ServiceRecord): Promise<void>;
  /** The version that answers a request with these headers. */
  ask(...lines: string[]): Promise<string>;
}

async function worldOf(protocol: 'sotw' | 'delta'): Promise<World> {
  const xds: XdsWorld = await startXdsWorld();
  ends.push(() => xds.close());
  const [v1, v2, v3] = await Promise.all([startEcho('v1'), startEcho('v2'), startEcho('v3')]);
  ends.push(() => Promise.all([v1, v2, v3].map((echo) => echo.close())));
  const instances: readonly Instance[] = [
    anInstance('v1', { address: v1.address }),
    anInstance('v2', { address: v2.address }),
    anInstance('v3', { address: v3.address }),
  ];
  const port = await freePort();
  const listener = {
    name: listenerName('gateway'),
    address: '127.0.0.1',
    port,
    domains: ['*'],
    accessLog: false,
  };
  const spec = aSpec({ listeners: [listener] });
  const publish = (record: ServiceRecord): number =>
    xds.publish(table(serviceRoutes({ ...record, spec }, instances)));
  publish(recordAt({ kind: 'Deploy' }, policy));
  const envoy = await startEnvoy(
    bootstrap({
      nodeId: 'gateway-1',
      nodeCluster: 'gateways',
      protocol,
      controller: { host: '127.0.0.1', port: xds.server.port },
      listeners: [],
      services: [],
      admin: { host: '127.0.0.1', port: 0 },
      accessLog: false,
      withoutController: 'FailClosed',
    }),
  );
  ends.push(() => envoy.stop());
  await eventually(async () => (await envoy.text('/ready')).startsWith('LIVE'), { what: 'a live Envoy' });
  return {
    envoy,
    port,
    echoes: { v1, v2, v3 },
    async take(record) {
      const number = publish(record);
      await eventually(() => xds.proxy('gateway-1').publication === number, {
        what: `publication ${number}`,
      });
    },
    ask: async (...lines) => served(await rawHttp1(port, lines)),
  };
}

/**
 * Whether a default request is copied to `version` now. A copy is begun before the request itself is answered, so none
 * that is begun by then is none.
 */
async function copies({ port, echoes, envoy }: World, version: 'v2' | 'v3', path: string): Promise<boolean> {
  const cluster = `cluster.manager__${version}__mirror__`;
  const count = (name: string) => envoy.stat(`${cluster}.${name}`);
  const begun = async () => (await count('upstream_rq_total')) + (await count('upstream_rq_pending_total'));
  const going = async () => (await count('upstream_rq_active')) + (await count('upstream_rq_pending_active'));
  await eventually(async () => (await going()) === 0, { what: 'the end of earlier copies' });
  const before = await begun();
  await rawHttp1(port, [], { path });
  if ((await begun()) === before) return false;
  return eventually(() => echoes[version].copies().some((copy) => copy.path === path), { what: 'the copy' });
}

/** A request whose answer begins and does not end. */
async function openStream({ port }: World): Promise<{ readonly isOpen: () => boolean }> {
  const request: ClientRequest = get({
    host: '127.0.0.1',
    port,
    path: '/',
    headers: { connection: 'Upgrade', upgrade: 'websocket' },
  });
  ends.push(() => void request.destroy());
  const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, { destroyed: boolean }];
  return { isOpen: () => !socket.destroyed };
}

const changesOf = async ({ envoy }: World) => envoy.stats(CHANGES);
const refusalsOf = async ({ envoy }: World) =>
  [...(await envoy.stats(REFUSALS))].filter(([, count]) => count > 0);

describe.each(['sotw', 'delta'] as const)('a rollout over %s', (protocol) => {
  test('gives each step its requests and copies, and changes nothing but routes', async () => {
    const world = await worldOf(protocol);
    const before = await changesOf(world);
    const stream = await openStream(world);
    const seen: Record<string, unknown> = {};
    for (const step of STEPS) {
      await world.take(recordAt(step, policy));
      const name = step.kind === 'Shift' ? `Shift-${step.weight}` : step.kind;
      const [tenant, header, pinned] = await Promise.all([
        world.ask('x-tenant-id: acme'),
        world.ask('x-beta: 1'),
        world.ask('x-delegate-version: v1'),
      ]);
      const others = new Set<string>();
      for (let index = 0; index < 40; index += 1) others.add(await world.ask(`x-tenant-id: tenant-${index}`));
      const isCopied = await copies(world, 'v2', `/${name}`);
      seen[name] = [
        tenant,
        header,
        pinned,
        [...others].toSorted().join('+'),
        isCopied ? 'copied' : 'alone',
      ].join(' ');
    }
    expect(seen).toEqual({
      Deploy: 'v1 v1 v1 v1 alone',
      Verify: 'v1 v1 v1 v1 copied',
      Cohort: 'v2 v2 v1 v1 copied',
      'Shift-25': 'v2 v2 v1 v1+v2 copied',
      'Shift-100': 'v2 v2 v1 v2 alone',
      Soak: 'v2 v2 v1 v2 alone',
    });
    expect(await changesOf(world)).toEqual(before);
    expect(stream.isOpen()).toBe(true);
    expect(await refusalsOf(world)).toEqual([]);
  });

  test('takes the cohort back and ends the copies at once when it is aborted', async () => {
    const world = await worldOf(protocol);
    const step: RolloutStep = { kind: 'Cohort' };
    await world.take(recordAt(step, policy));
    expect(await world.ask('x-tenant-id: acme')).toBe('v2');
    await world.take(recordAt(step, policy, { state: 'Aborted' }));
    expect(await world.ask('x-tenant-id: acme')).toBe('v1');
    expect(await world.ask('x-beta: 1')).toBe('v1');
    expect(await copies(world, 'v2', '/aborted')).toBe(false);
  });

  test('gives the cluster for copies to the next candidate, make before break', async () => {
    const world = await worldOf(protocol);
    await world.take(recordAt({ kind: 'Verify' }, policy));
    const next: ServiceRecord = {
      ...recordAt({ kind: 'Verify' }, policy),
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v3')],
      rollout: aRollout({ kind: 'Verify' }, policy, { version: versionName('v3') }),
    };
    // Back and forth: each time one cluster comes and another goes in the publication that changes the routes.
    for (let round = 0; round < 5; round += 1) {
      await world.take(next);
      expect(await copies(world, 'v3', `/v3-${round}`)).toBe(true);
      await world.take(recordAt({ kind: 'Verify' }, policy));
      expect(await copies(world, 'v2', `/v2-${round}`)).toBe(true);
    }
    expect(world.echoes.v3.copies()).toHaveLength(5);
    expect(await refusalsOf(world)).toEqual([]);
    const clusters = [...(await world.envoy.stats('^cluster\\.manager.*membership_total')).keys()];
    expect(clusters.filter((name) => name.includes('mirror'))).toEqual([
      'cluster.manager__v2__mirror__.membership_total',
    ]);
  });
});
