/**
 * Instances that Switchyard runs itself, through the command line: they come up beside each other, come back when they
 * are killed, outlive the controller that started them, and end when they are retired or with `down`. Behind a real
 * Envoy nobody notices more than the work that a killed process had in hand.
 */
import { join } from 'node:path';
import { execPath, kill } from 'node:process';
import { beforeEach, describe, expect, it } from 'vitest';
import { INSTANCE_STATE, VERSION_STATE } from '../../src/admin/enums.ts';
import type { Instance } from '../../src/gen/switchyard/admin/v1/resources_pb.js';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { aliveOf, hasEnded } from '../support/processes-world.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { heldVersions } from '../support/system/held.ts';
import { type Load, steady, UNHURT } from '../support/system/load.ts';
import { freePortRange } from '../support/system/ports.ts';
import { type Site, useSite } from '../support/system/site.ts';
import { GrpcClient } from '../support/traffic/clients/grpc.ts';

const MANAGER = join(import.meta.dirname, '..', '..', 'examples', 'manager', 'main.ts');
const PORTS_EACH = 10;
const BOTH = ['v1', 'v2'];

let gateway: Envoy;
/** Ready over HTTP; the other over gRPC health. */
let web: ServiceDocument;
let rpc: ServiceDocument;

const theSite = useSite(async (opened) => {
  // Instances outlive a controller, so after a failure they are ended here, each by its own process id.
  opened.defer(() => {
    for (const pids of aliveOf(opened.folder).values()) for (const pid of pids) kill(pid, 'SIGKILL');
  });
  const first = await freePortRange(2 * PORTS_EACH);
  web = await document(opened, 'web', { from: first, readiness: { http: { path: '/healthz' } } });
  rpc = await document(opened, 'rpc', {
    from: first + PORTS_EACH,
    readiness: { grpc: { service: 'examples.manager.v1.Manager' } },
  });
  await opened.start([]);
  gateway = await opened.gateway({ name: 'gateway' });
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

describe('a controller without --allow-commands', () => {
  it('refuses a spec that runs commands, says what would allow it, and starts nothing', async () => {
    const [file = ''] = await site.files(web);
    const { exitCode, stderr } = await site.run('apply', '-f', file);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/web.*--allow-commands/);
    expect((await site.call('listServices', {})).services).toEqual([]);
    expect(alive()).toEqual(new Map());
  });
});

describe('instances that Switchyard runs', () => {
  it('come up when they are asked for and are ready over HTTP or gRPC health', async () => {
    await site.controller.stop();
    await site.controller.start();
    await site.apply(web, rpc);
    for (const { name } of [web, rpc]) {
      await site.ok('status', name, '--timeout=60s');
      const instances = await instancesOf(name, 'v1');
      expect(instances.map(({ state }) => state)).toEqual([INSTANCE_STATE.Ready, INSTANCE_STATE.Ready]);
    }
    expect(alive().size).toBe(4);
    const client = new GrpcClient({ host: '127.0.0.1', port: portOf(rpc) });
    await eventually(async () => (await client.send({})).kind === 'answered');
    expect(await client.send({ pin: 'v1' })).toMatchObject({ kind: 'answered', version: 'v1' });
    client.close();
  });

  it('of the next version come up beside those that run, and the flip hurts nobody', async () => {
    await site.inSync('gateway');
    const before = alive();
    const load = await loadOf('v1', ['v1']);
    const more = load.begin(steady('v1', BOTH));
    web = { ...web, version: 'v2' };
    await site.apply(web);
    more.converged(await load.inForce());
    for (const [id, pids] of before) expect(alive().get(id)).toEqual(pids);
    expect(alive().size).toBe(6);

    const flip = load.begin({ from: 'v1', to: 'v2', weight: 100, active: BOTH });
    await site.ok('flip', 'web', 'v2');
    flip.converged(await load.servedBy('v2'));
    await load.goOn();
    expect(await load.stop()).toMatchObject(UNHURT);
  });

  it('come back after kill -9; only what was in hand there may fail, and pins reach the other instance', async () => {
    expect(await killOne()).toEqual(ONLY_IN_HAND);
  });
});

describe('a controller that goes away and comes back', () => {
  it('after kill -9 has the same instances, the same table, and nobody noticed', async () => {
    const load = await loadOf('v2', BOTH);
    const before = await picture();
    await site.controller.kill();
    await load.goOn();
    expect(alive()).toEqual(before.alive);
    await site.controller.start();
    await site.inSync('gateway');
    expect(await picture()).toEqual(before);
    await load.goOn();
    expect(await load.stop()).toMatchObject(UNHURT);
  });

  it('after SIGTERM too; without --allow-commands it refuses to take over what runs commands', async () => {
    const load = await loadOf('v2', BOTH);
    const before = await picture();
    await site.controller.stop();
    expect(alive()).toEqual(before.alive);
    await expect(site.controller.start([])).rejects.toThrow(
      /ended \(code 1\)[^]*rpc, web run commands, which were applied with --allow-commands/,
    );
    await load.goOn();
    expect(alive()).toEqual(before.alive);
    await site.controller.start();
    await site.inSync('gateway');
    expect(await picture()).toEqual(before);
    expect(await load.stop()).toMatchObject(UNHURT);
  });

  it('brings back an instance that an earlier controller started', async () => {
    expect(await killOne()).toEqual(ONLY_IN_HAND);
  });
});

describe('instances end', () => {
  it('when their version is retired, after no proxy routes to them any more', async () => {
    const load = await loadOf('v2', BOTH);
    await site.ok('drain', 'web', 'v1', '--give-up-rollback', '--reason=test');
    await eventually(async () => (await site.version('web', 'v1'))?.state === VERSION_STATE.Drained, {
      what: 'v1 without open work',
      within: 30_000,
      every: 50,
    });
    const retire = load.begin(steady('v2', ['v2']));
    await site.ok('retire', 'web', 'v1', '--yes', '--reason=test');
    // Whenever an instance is seen to be away, the proxy has no cluster for it any more.
    await eventually(
      async () => {
        const isAway = versionsAlive('web').every((version) => version !== 'v1');
        const routed = Object.keys(await heldVersions(gateway)).includes('clusters/web__v1');
        if (isAway && routed) throw new Error('v1 was stopped while the proxy had its cluster');
        return isAway;
      },
      { what: 'the end of the instances of v1', within: 30_000, every: 20 },
    );
    retire.converged(await load.inForce());
    await load.goOn();
    expect(versionsAlive('web')).toEqual(['v2', 'v2']);
    const verdict = await load.stop();
    expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
  });

  it('all of them with down, and the controller with them', async () => {
    expect(await site.ok('down', '--yes', '--reason=test')).toBe('stopped 4 instances and the controller\n');
    expect(alive()).toEqual(new Map());
    await eventually(() => site.controller.pid === undefined, { what: 'the end of the controller' });
  });
});

/** What must come of an instance that is killed: nothing but the end of what it had in hand. */
const ONLY_IN_HAND = {
  failedOtherwise: [],
  cutOtherwise: [],
  pinsMeanwhile: ['answered'],
  endedLater: 0,
  misrouted: 0,
  tenantsMovedWrongly: 0,
};

/** Kills an instance of the primary under load, waits until it is back, and says what became of the load. */
async function killOne() {
  const load = await loadOf('v2', BOTH);
  await load.goOn();
  const [victim] = await instancesOf('web', 'v2');
  const [pid] = alive().get(victim?.id ?? '') ?? [];
  if (pid === undefined) throw new Error('v2 of web has no instance with a process');

  const killedAt = performance.now();
  kill(pid, 'SIGKILL');
  await eventually(() => hasEnded(pid), { what: 'the end of the instance' });
  const goneAt = await load.inForce();
  await eventually(async () => isBack(await instancesOf('web', 'v2'), victim), {
    what: 'the instance that was killed, ready again',
    within: 30_000,
    every: 50,
  });
  const backAt = performance.now();
  await site.inSync('gateway');
  await load.goOn();
  const streamsLeft = load.traffic.streams().length;

  const { evidence, misrouted, tenantsMovedWrongly } = await load.stop();
  const wasInHand = (from: number, to: number): boolean => from <= goneAt && to >= killedAt;
  const failed = evidence.exchanges.filter(({ outcome }) => outcome.kind === 'failed');
  const cut = evidence.streams.filter(({ end }) => end.kind === 'cut');
  const pinned = evidence.exchanges.filter(
    ({ asked, startedAt, endedAt }) => asked.pin === 'v2' && startedAt > goneAt && endedAt < backAt,
  );
  return {
    // v1 has other instances, which were not touched.
    failedOtherwise: failed.filter(
      ({ asked, startedAt, endedAt }) => asked.pin === 'v1' || !wasInHand(startedAt, endedAt),
    ),
    cutOtherwise: cut.filter(
      ({ asked, openedAt, endedAt }) => asked.pin === 'v1' || !wasInHand(openedAt, endedAt),
    ),
    pinsMeanwhile: [...new Set(pinned.map(({ outcome }) => outcome.kind))],
    /** Streams that outlived the kill, and did not last until their clients ended them. */
    endedLater: streamsLeft - (evidence.streams.length - cut.length),
    misrouted,
    tenantsMovedWrongly,
  };
}

async function document(
  at: Site,
  name: string,
  { from, readiness }: { from: number; readiness: object },
): Promise<ServiceDocument> {
  const place = ['--version', '${version}', '--port', '${port}', '--instance', '${instance}'];
  return {
    name,
    version: 'v1',
    listeners: [{ name, port: await freePort() }],
    runtime: {
      processes: {
        command: [execPath, MANAGER, ...place, '--grace', '0'],
        environment: { WORLD: at.folder },
        instances: 2,
        ports: { from, to: from + PORTS_EACH - 1 },
        readiness: { ...readiness, interval: '100ms' },
        stopGrace: '5s',
        restartBackoff: { initial: '1s', max: '5s' },
      },
    },
  };
}

function portOf({ listeners }: ServiceDocument): number {
  return listeners[0]?.port ?? 0;
}

/** The clients of `web`. */
function loadOf(primary: string, active: readonly string[]): Promise<Load> {
  return site.load({
    address: { host: '127.0.0.1', port: portOf(web) },
    requestsPerSecond: 60,
    first: steady(primary, active),
    streamPins: active,
    slowMs: 300,
  });
}

/** Process ids by instance. */
function alive(): ReadonlyMap<string, readonly number[]> {
  return new Map([...aliveOf(site.folder)].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The versions of a service that have a running process, once for each instance. */
function versionsAlive(service: string): string[] {
  return [...alive().keys()].flatMap((id) => new RegExp(`^${service}-(v\\d)-`).exec(id)?.[1] ?? []);
}

async function instancesOf(service: string, version: string): Promise<readonly Instance[]> {
  return (await site.version(service, version))?.instances ?? [];
}

function isBack(instances: readonly Instance[], before: Instance | undefined): boolean {
  const now = instances.find(({ id }) => id === before?.id);
  const restarts = (before?.restarts ?? 0) + 1;
  return now?.restarts === restarts && instances.every(({ state }) => state === INSTANCE_STATE.Ready);
}

/** All that must be as it was: processes, instances as they are shown, the table, and what the proxy holds. */
async function picture() {
  const { json } = await site.call('getTable', {});
  const instances = await Promise.all(BOTH.map((version) => instancesOf('web', version)));
  return {
    alive: alive(),
    table: json,
    instances: instances.flat().map(({ id, address, state, restarts }) => ({ id, address, state, restarts })),
    held: await heldVersions(gateway),
  };
}
