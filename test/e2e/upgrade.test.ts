/**
 * Switchyard itself is upgraded on one machine: the last release runs a service, this one takes its place over the same
 * state, and the last one takes it back. Instances, streams and traffic do not notice.
 */
import { join } from 'node:path';
import { execPath, kill } from 'node:process';
import { beforeEach, expect, test } from 'vitest';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { unpackLastRelease } from '../support/last-release.ts';
import { aliveOf } from '../support/processes-world.ts';
import { type Program, THIS_RELEASE } from '../support/system/controller.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { heldVersions, updateCounters } from '../support/system/held.ts';
import { type Load, steady, UNHURT } from '../support/system/load.ts';
import { freePortRange } from '../support/system/ports.ts';
import { type Site, useSite } from '../support/system/site.ts';
import type { Stage } from '../support/traffic/history.ts';

const MANAGER = join(import.meta.dirname, '..', '..', 'examples', 'manager', 'main.ts');
const PORTS = 10;
const INSTANCES = 2;
const BOTH = ['v1', 'v2'];

const last = unpackLastRelease();
/** One proxy for each dialect, each with a listener of its own. */
let envoys: readonly { readonly envoy: Envoy; readonly port: number }[];

const theSite = useSite(async (opened) => {
  // Instances outlive a controller, so they are ended here, each by its own process id.
  opened.defer(() => {
    for (const pids of aliveOf(opened.folder).values()) for (const pid of pids) kill(pid, 'SIGKILL');
  });
  const [gateway, outbound] = [await freePort(), await freePort()];
  const manager = await document(opened, { gateway, outbound });
  await opened.start();
  envoys = [
    { envoy: await opened.gateway({ name: 'gateway', listeners: ['gateway'] }), port: gateway },
    {
      envoy: await opened.gateway({ name: 'outbound', listeners: ['outbound'], protocol: 'delta' }),
      port: outbound,
    },
  ];
  await opened.apply(manager);
  await opened.apply({ ...manager, version: 'v2' });
  for (const name of BOTH) {
    await eventually(async () => (await opened.version('manager', name))?.readyEndpoints === INSTANCES, {
      what: `all instances of ${name}`,
      within: 30_000,
    });
  }
  await opened.inSync('gateway', 'outbound');
}, last.program);
let site: Site;
beforeEach(() => {
  site = theSite();
});

test('this release takes over, the last one takes back in the middle of a shift, and nobody notices', async () => {
  // The same streams live through all of it.
  const loads = await startLoads();
  await takesOver(THIS_RELEASE, loads);

  const shift: Stage = { from: 'v1', to: 'v2', weight: 30, active: BOTH };
  await moves(loads, shift, ['set-weight', 'manager', 'v2', '30']);
  await takesOver(last.program, loads);
  await takesOver(THIS_RELEASE, loads);

  await moves(loads, { ...shift, weight: 100 }, ['flip', 'manager', 'v2']);
  for (const load of loads) {
    const verdict = await load.stop();
    expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
    expect(verdict.streamsOpened).toBeGreaterThan(0);
  }
});

/** Another release takes the place of the controller: all that proxies and instances have is as it was. */
async function takesOver(program: Program, loads: readonly Load[]): Promise<void> {
  const before = await look();
  expect(before.processes.size).toBe(INSTANCES * BOTH.length);
  for (const { routes } of before.proxies) expect(JSON.stringify(routes)).toMatch(/"cluster":"manager__v1/);
  await site.controller.stop();
  site.controller.become(program);
  await goOn(loads);
  await site.controller.start();
  await site.inSync('gateway', 'outbound');
  await goOn(loads);
  expect(await look()).toEqual(before);
}

/** Traffic moves by a command. */
async function moves(loads: readonly Load[], stage: Stage, command: readonly string[]): Promise<void> {
  const moving = loads.map((load) => load.begin(stage));
  await site.ok(...command, '--reason=test');
  await site.inSync('gateway', 'outbound');
  for (const [index, move] of moving.entries()) move.converged((await loads[index]?.inForce()) ?? 0);
  await goOn(loads);
}

async function document(
  at: Site,
  ports: { readonly gateway: number; readonly outbound: number },
): Promise<ServiceDocument> {
  const from = await freePortRange(PORTS);
  const place = ['--version', '${version}', '--port', '${port}', '--instance', '${instance}'];
  return {
    name: 'manager',
    version: 'v1',
    listeners: Object.entries(ports).map(([name, port]) => ({ name, port })),
    runtime: {
      processes: {
        command: [execPath, MANAGER, ...place, '--grace', '0'],
        environment: { WORLD: at.folder },
        instances: INSTANCES,
        ports: { from, to: from + PORTS - 1 },
        readiness: { http: { path: '/healthz' }, interval: '100ms' },
        stopGrace: '5s',
        restartBackoff: { initial: '1s', max: '5s' },
      },
    },
  };
}

/** Constant traffic and streams of every kind through each proxy. */
function startLoads(): Promise<Load[]> {
  return Promise.all(
    envoys.map(({ port }) =>
      site.load({
        address: { host: '127.0.0.1', port },
        requestsPerSecond: 30,
        first: steady('v1', BOTH),
        streamPins: BOTH,
      }),
    ),
  );
}

async function goOn(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.goOn()));
}

/** What must be as it was: the processes, what each proxy holds, and how often it was told to change anything. */
async function look() {
  const proxies = await Promise.all(
    envoys.map(async ({ envoy }) => ({
      held: withoutRoutes(await heldVersions(envoy)),
      changes: withoutRoutes(await updateCounters(envoy)),
      routes: await routesWithoutNames(envoy),
    })),
  );
  return { processes: aliveOf(site.folder), proxies };
}

/** What is not of routes, and no answer: whoever connects again has one for each type. */
function withoutRoutes<Value>(named: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(named).filter(
      ([name]) => !/^routes\/|\.rds\..*config_reload$|update_(attempt|failure|success)$/.test(name),
    ),
  );
}

/**
 * The route tables in force. Since 0.2.0 a route is named by what chose it (docs/store.md), so proxies get their route
 * tables anew: nothing else in them may differ.
 */
async function routesWithoutNames(envoy: Envoy): Promise<unknown> {
  const dump = await envoy.text('/config_dump?resource=dynamic_route_configs');
  return JSON.parse(dump, (key, value: unknown) => {
    if (key === 'last_updated' || key === 'version_info') return undefined;
    if (typeof value !== 'object' || value === null || !('match' in value)) return value;
    const { name: _, ...rest } = value as Readonly<Record<string, unknown>>;
    return rest;
  }) as unknown;
}
