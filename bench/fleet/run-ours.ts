/** Our side: the real controller, one real Envoy, two processes of the example manager with one SQLite store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.ts';
import { Load } from './load.ts';
import { Managers } from './managers.ts';
import { cpuOf, restingMemoryOf, wallClock } from './processes.ts';
import { Reader, type Reads } from './reads.ts';
import type { Informed, OurFigures, RunOptions } from './run.ts';
import { come, comeAgain, cpuOfAll } from './steps.ts';
import { FIRST, SERVICE, type Wish, World } from './world.ts';

export async function runOurs(options: RunOptions): Promise<OurFigures> {
  await using closing = new AsyncDisposableStack();
  const { restMs } = options;
  const world = await World.open();
  closing.defer(() => world.close());
  const managers = await Managers.start(world);
  closing.defer(() => managers.stop());
  const [atStart = '', ...versions] = Array.from(
    { length: options.versions + 1 },
    (_, index) => `v${index + 2}`,
  );
  await world.apply(wish(FIRST, managers));
  await world.routed();
  await world.publishArtifact(FIRST);
  const alone = await order({ world, managers, restMs, version: atStart });

  const [watchers, delegates] = [new Load(options.load), new Load(options.load)];
  closing.defer(() => watchers.close());
  closing.defer(() => delegates.close());
  const crowd = { service: SERVICE, version: FIRST, tenants: options.tenants };
  const heap = await world.controllerHeap();
  const watching = await come({
    load: watchers,
    servers: () => [world.controllerPid],
    restMs,
    crowd: { ...crowd, role: 'watcher', count: options.watchers, target: `127.0.0.1:${world.watcherPort}` },
  });
  const watcherHeapKb = ((await world.controllerHeap()) - heap) / options.watchers;
  const gateway = await restingMemoryOf([world.gatewayPid], restMs);
  const working = await come({
    load: delegates,
    servers: () => managers.pids,
    restMs,
    crowd: { ...crowd, role: 'delegate', count: options.delegates, target: `127.0.0.1:${world.gatewayPort}` },
  });
  const gatewayKb = ((await restingMemoryOf([world.gatewayPid], restMs)) - gateway) / options.delegates;
  const atRest = await rest({ world, managers, restMs });

  const orders: Order[] = [];
  const informed: Informed[] = [];
  for (const version of versions) {
    const told = await order({ world, managers, restMs, version, watchers });
    orders.push(told);
    if (told.informed !== undefined) informed.push(told.informed);
  }
  const workingAgain = await comeAgain({
    load: delegates,
    atLeast: await managers.delegatesOf(0),
    servers: () => managers.pids,
    kill: () => managers.killOne(0),
    start: () => managers.startOne(0),
  });
  const watchingAgain = await comeAgain({
    load: watchers,
    atLeast: options.watchers,
    servers: () => (world.controller.pid === undefined ? [] : [world.controller.pid]),
    kill: () => world.controller.kill(),
    start: () => world.startController(),
  });
  return {
    watchers: { ...watching, ...watchingAgain },
    delegates: { ...working, ...workingAgain },
    informed,
    watcherHeapKb,
    gatewayKb,
    reads: { alone: alone.reads, atRest: atRest.reads, telling: orders.map(({ reads }) => reads) },
    gatewayMs: { alone: alone.gatewayMs, telling: orders.map(({ gatewayMs }) => gatewayMs) },
    commitMs: { alone: alone.commitMs, telling: orders.map(({ commitMs }) => commitMs) },
    atRestPercent: atRest.percent,
  };
}

/** All are connected, and nothing happens. Processor time in percent of one processor. */
async function rest(at: {
  readonly world: World;
  readonly managers: Managers;
  readonly restMs: number;
}): Promise<{ readonly reads: Reads; readonly percent: OurFigures['atRestPercent'] }> {
  const { world, managers, restMs } = at;
  await sleep(restMs);
  const pids = { controller: [world.controllerPid], managers: managers.pids, gateway: [world.gatewayPid] };
  const before = Object.values(pids).map(cpuOfAll);
  const began = performance.now();
  await sleep(restMs);
  const used = Object.values(pids).map((of, index) => cpuOfAll(of) - (before[index] ?? 0));
  const [controller = 0, both = 0, gateway = 0] = used.map(
    (cpu) => (cpu / (performance.now() - began)) * 100,
  );
  const reader = new Reader(world.admin);
  await sleep(restMs);
  return { reads: await reader.stop(), percent: { controller, managers: both, gateway } };
}

/** Versions up to the one that is wanted. Whoever brings them up is not measured here: an instance stands in for theirs. */
function wish(wanted: string, { addresses }: Managers): Wish {
  const number = Number(wanted.slice(1));
  const further = Array.from(
    { length: number - 1 },
    (_, index) => [`v${index + 2}`, addresses.slice(1)] as const,
  );
  return {
    wanted,
    addresses: { [FIRST]: addresses, ...Object.fromEntries(further) },
    more: { delegates: { grpc: {} }, drain: { workflow: {} }, retention: { keep: 2, max: 10 } },
  };
}

interface Order {
  readonly reads: Reads;
  readonly commitMs: number;
  readonly gatewayMs: number;
  readonly informed?: Informed;
}

/** Wants a version, and waits until the gateway and all watchers have what follows from it. */
async function order(wanted: {
  readonly world: World;
  readonly managers: Managers;
  readonly restMs: number;
  readonly version: string;
  readonly watchers?: Load;
}): Promise<Order> {
  const { world, managers, restMs, version, watchers } = wanted;
  await world.publishArtifact(version);
  await sleep(restMs);
  const reader = new Reader(world.admin);
  const first = await eventually(() => (reader.gateway.publication > 0n ? reader.gateway : undefined), {
    what: 'a look at the gateway',
  });
  const cpu = cpuOf(world.controllerPid);
  const since = wallClock();
  await world.apply(wish(version, managers));
  const commitMs = wallClock() - since;
  const told = await watchers?.informed({ since, version });
  const cpuUs = told === undefined ? 0 : ((cpuOf(world.controllerPid) - cpu) * 1_000) / told.count;
  const { since: inStep } = await eventually(
    () => (reader.gateway.publication > first.publication ? reader.gateway : undefined),
    { what: `the gateway in step with ${version}`, within: 30_000 },
  );
  return {
    reads: await reader.stop(),
    commitMs,
    gatewayMs: inStep - since,
    ...(told === undefined ? {} : { informed: { ...told, cpuUs } }),
  };
}
