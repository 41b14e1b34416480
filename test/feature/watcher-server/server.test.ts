import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { Fleet } from '../../../src/controller/fleet.ts';
import { BoxVersionState as StateNumber } from '../../../src/gen/switchyard/watcher/v1/watcher_pb.js';
import type { Offer, SentGoal } from '../../../src/goalstate/goals.ts';
import { MAX_GOAL_VERSIONS, type WatcherRecord } from '../../../src/model/goal-state.ts';
import { serviceName } from '../../../src/model/names.ts';
import {
  startWatcherServer,
  type WatcherServer,
  type WatcherServerOptions,
} from '../../../src/watcher-server/server.ts';
import { eventually } from '../../support/eventually.ts';
import {
  type IdentityFields,
  reportFields,
  WatcherClient,
  type WatcherStream,
} from '../../support/watcher-client.ts';
import { boxId, watcherReport } from '../../support/watchers.ts';

const manager = serviceName('manager');
const box = { id: 'box-1', service: 'manager', tenant: 'acme' };

/** A controller whose goal state is a number. */
class World {
  generation = 1;
  isReady = true;
  readonly faults: unknown[] = [];
  readonly fleet = new Fleet({
    clock: systemClock,
    stored: [],
    isService: (name) => name === manager,
    offer: (watcher, sent) => this.offer(watcher, sent),
    changed: () => {},
  });

  offer({ report }: WatcherRecord, sent: SentGoal | undefined): Offer {
    if (this.generation === 0) return { kind: 'Nothing', reason: 'nothing is wanted yet' };
    const { generation } = this;
    const replaces = report.applied;
    if (sent?.generation === generation && sent.replaces === replaces) return { kind: 'UpToDate' };
    const goal = { service: manager, generation, replaces, versions: [], decommission: false };
    return { kind: 'Send', goal, sent: { generation, replaces, content: '' } };
  }

  become(generation: number): void {
    this.generation = generation;
    this.fleet.goalsChanged(manager);
  }
}

describe('the watcher server', () => {
  let world: World;
  let server: WatcherServer;
  const clients: WatcherClient[] = [];
  const start = (options: Partial<WatcherServerOptions> = {}): Promise<WatcherServer> =>
    startWatcherServer({
      watchers: world.fleet,
      clock: systemClock,
      host: '127.0.0.1',
      port: 0,
      isReady: () => world.isReady,
      observer: { fault: (error) => void world.faults.push(error) },
      ...options,
    });
  const client = (): WatcherClient => {
    const made = new WatcherClient(server.port);
    clients.push(made);
    return made;
  };
  /** A watcher that has said who it is and how its box stands. */
  const arrived = (identity: IdentityFields = box): WatcherStream => {
    const stream = client().follow(identity);
    stream.report({});
    return stream;
  };
  const restart = async (options: Partial<WatcherServerOptions>): Promise<void> => {
    await server.close();
    server = await start(options);
  };

  beforeEach(async () => {
    world = new World();
    server = await start();
  });
  afterEach(async () => {
    for (const made of clients.splice(0)) made.close();
    await server.close();
    const faults = world.faults.splice(0);
    if (faults.length > 0) throw new Error(`the server failed: ${faults.join('; ')}`);
  });

  test('tells a watcher its goal state when it has said how its box stands, and how often to report', async () => {
    const first = await arrived().answer(1);
    expect(first).toMatchObject({ goalState: { generation: 1n, replaces: 0n }, reason: '' });
    expect(first.heartbeat?.seconds).toBe(30n);
    expect(world.fleet.find(manager, boxId('box-1'))).toMatchObject({
      isConnected: true,
      identity: { tenant: 'acme', group: 'default', maxVersions: 3 },
    });
  });

  test('tells it again when the goal changes or what it has applied does, and nothing twice', async () => {
    const stream = arrived();
    await stream.answer(1);
    world.become(2);
    expect((await stream.answer(2)).goalState).toMatchObject({ generation: 2n, replaces: 0n });
    stream.report(reportFields(watcherReport(1, { v1: 'Ready' })));
    expect((await stream.answer(3)).goalState).toMatchObject({ generation: 2n, replaces: 1n });
    stream.report(reportFields(watcherReport(1, { v1: 'Unready' })));
    await eventually(
      () => world.fleet.find(manager, boxId('box-1'))?.report.versions[0]?.state === 'Unready',
    );
    world.fleet.goalsChanged(manager);
    world.become(3);
    expect((await stream.answer(4)).goalState?.generation).toBe(3n);
    expect(stream.answers).toHaveLength(4);
  });

  test('says why there is no goal state', async () => {
    world.generation = 0;
    const { goalState, reason } = await arrived().answer(1);
    expect(goalState).toBeUndefined();
    expect(reason).toBe('nothing is wanted yet');
  });

  test('knows a watcher as away when its stream has ended', async () => {
    const stream = arrived();
    await stream.answer(1);
    stream.cancel();
    await eventually(() => world.fleet.find(manager, boxId('box-1'))?.isConnected === false);
    expect(server.streams()).toBe(0);
  });

  test('keeps one connection for a watcher: a newer one replaces the older, and the end of that changes nothing', async () => {
    const older = arrived();
    await older.answer(1);
    const newer = arrived();
    await newer.answer(1);
    expect((await older.ended()).code).toBe(status.ABORTED);
    world.become(2);
    expect((await newer.answer(2)).goalState?.generation).toBe(2n);
    expect(world.fleet.find(manager, boxId('box-1'))?.isConnected).toBe(true);
  });

  test('answers a poll like a stream, and says when to ask again', async () => {
    const answer = await client().poll(box, reportFields(watcherReport(4, { v1: 'Ready' })));
    expect(answer).toMatchObject({ goalState: { generation: 1n, replaces: 4n } });
    expect(answer.pollAfter?.seconds).toBe(30n);
    expect(world.fleet.find(manager, boxId('box-1'))).toMatchObject({
      isConnected: true,
      report: { applied: 4 },
    });
  });

  test.each([
    ['an id with a space', { ...box, id: 'a b' }, /identity\.id is "a b"; it must be 1 to 128 of letters/],
    ['no id', { ...box, id: '' }, /identity\.id is empty/],
    ['no tenant', { ...box, tenant: '' }, /identity\.tenant is empty/],
    ['a group that is no name', { ...box, group: 'North!' }, /identity\.group is "North!"/],
    ['too many versions', { ...box, maxVersions: 1000 }, /identity\.max_versions is 1000; .* at most 20/],
    ['too many tags', { ...box, tags: Array.from({ length: 33 }, String) }, /identity\.tags has 33/],
    ['a service that is no name', { ...box, service: 'No Such' }, /identity\.service is "No Such"/],
  ])('refuses %s, and names it', async (_what, identity, text) => {
    const { code, details } = await client().follow(identity).ended();
    expect(code).toBe(status.INVALID_ARGUMENT);
    expect(details).toMatch(text);
    await expect(client().poll(identity, {})).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test('refuses a service that does not exist', async () => {
    const { code, details } = await client()
      .follow({ ...box, service: 'other' })
      .ended();
    expect(code).toBe(status.NOT_FOUND);
    expect(details).toMatch(/there is no service other/);
  });

  test('refuses a report before the identity, a second identity, and what is no message', async () => {
    const early = client().follow();
    early.report({});
    expect((await early.ended()).code).toBe(status.INVALID_ARGUMENT);
    const again = client().follow(box);
    again.identify(box);
    expect((await again.ended()).details).toMatch(/identity comes first, once/);
    const garbage = client().follow();
    garbage.sendBytes(Uint8Array.of(255, 255, 255));
    expect((await garbage.ended()).details).toMatch(/no FollowRequest/);
  });

  test('refuses a report that is too large, has an unknown state or too many versions', async () => {
    const huge = client().follow(box);
    huge.report({ refusal: 'x'.repeat(100_000) });
    expect((await huge.ended()).code).toBe(status.RESOURCE_EXHAUSTED);
    const unknown = client().follow({ ...box, id: 'box-2' });
    unknown.report({ versions: [{ version: 'v1', state: StateNumber.UNSPECIFIED }] });
    expect((await unknown.ended()).details).toMatch(/report\.versions\[0\]\.state is 0; it must be one of/);
    const many = client().follow({ ...box, id: 'box-3' });
    many.report({
      versions: Array.from({ length: 2 * MAX_GOAL_VERSIONS + 1 }, (_, n) => ({
        version: `v${n}`,
        state: StateNumber.READY,
      })),
    });
    expect((await many.ended()).details).toMatch(/report\.versions has 41 versions/);
  });

  test('shows what a box says on one line, without what cannot be seen', async () => {
    const stream = client().follow(box);
    stream.report({
      refusal: 'no\nroom\u001b[2J',
      versions: [{ version: 'v1', state: StateNumber.READY, reason: 'y'.repeat(600) }],
    });
    const report = await eventually(() => {
      const known = world.fleet.find(manager, boxId('box-1'))?.report;
      return known?.refusal === '' ? undefined : known;
    });
    expect(report.refusal).toBe('no room\uFFFD[2J');
    expect(report.versions[0]?.reason).toHaveLength(513);
  });

  test('asks everybody to come back before the state is loaded', async () => {
    world.isReady = false;
    expect((await client().follow(box).ended()).code).toBe(status.UNAVAILABLE);
  });

  test('lets in no more than its rate, and tells the others when to come back', async () => {
    await restart({ rate: { perSecond: 10, burst: 2 } });
    const one = client();
    const streams = Array.from({ length: 6 }, (_, n) => one.follow({ ...box, id: `box-${n}` }));
    await eventually(() => streams.filter(({ isOpen }) => !isOpen).length >= 3);
    const away = streams.filter(({ isOpen }) => !isOpen);
    const waits = await Promise.all(
      away.map(async (stream) => {
        const { code, metadata } = await stream.ended();
        expect(code).toBe(status.RESOURCE_EXHAUSTED);
        return Number(metadata.get('retry-after-ms')[0]);
      }),
    );
    expect(new Set(waits).size).toBe(waits.length);
    for (const wait of waits) expect(wait).toBeGreaterThan(0);
  });

  test('ends a stream that never says who it is, and one that is silent for three heartbeats', async () => {
    await restart({ times: { firstMessage: 50, heartbeat: 50 } });
    expect((await client().follow().ended()).code).toBe(status.DEADLINE_EXCEEDED);
    const silent = arrived();
    await silent.answer(1);
    expect((await silent.ended()).details).toMatch(/nothing was heard for 150 ms/);
    expect(world.fleet.find(manager, boxId('box-1'))?.isConnected).toBe(false);
  });

  test('a watcher that does not read costs nothing but itself, and is told the newest when it reads again', async () => {
    const slow = arrived();
    const quick = arrived({ ...box, id: 'box-2' });
    await Promise.all([slow.answer(1), quick.answer(1)]);
    slow.pause();
    for (let generation = 2; generation <= 30; generation += 1) {
      world.become(generation);
      await quick.generation(generation);
    }
    slow.resume();
    expect((await slow.generation(30)).reason).toBe('');
  });

  test('reads one that talks without end slowly, and hears all others', async () => {
    const chatty = client().follow(box);
    for (let n = 0; n < 500; n += 1) chatty.report({ applied: BigInt(n), seen: BigInt(n) });
    const quiet = arrived({ ...box, id: 'box-2' });
    await quiet.answer(1);
    await eventually(() => (world.fleet.find(manager, boxId('box-1'))?.report.applied ?? 0) > 0);
    expect(world.fleet.find(manager, boxId('box-1'))?.report.applied).toBeLessThan(400);
  });
});
