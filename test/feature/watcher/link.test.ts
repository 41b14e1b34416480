/** The way between a watcher and its controller, where it is bad: no streams, too many watchers, a hostile controller. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import type { Artifact } from '../../../src/model/goal-state.ts';
import { serviceName } from '../../../src/model/names.ts';
import { Channel } from '../../../src/watcher/link/channel.ts';
import { Link } from '../../../src/watcher/link/link.ts';
import type { Answer } from '../../../src/watcher/link/wire.ts';
import { startWatcherServer } from '../../../src/watcher-server/server.ts';
import { eventually } from '../../support/eventually.ts';
import { createWatcherWorld, HandController, type WatcherWorld } from '../../support/watcher-world.ts';
import { watcherReport } from '../../support/watchers.ts';

// Processes are started, and a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
beforeEach(async () => {
  world = await createWatcherWorld();
});
afterEach(() => world.dispose());

/** A link to the world's controller, with what it was answered. */
function link(): { answers: Answer[]; link: Link; stop(): Promise<void> } {
  const answers: Answer[] = [];
  const stop = new AbortController();
  const channel = new Channel(world.settings.controller, { ...world.settings.identity, release: '1' });
  const made = new Link({
    channel,
    clock: systemClock,
    random: () => 0,
    report: () => watcherReport(0),
    onAnswer: (answer) => answers.push(answer),
    onState: () => undefined,
  });
  const ended = made.run(stop.signal);
  return {
    answers,
    link: made,
    async stop() {
      stop.abort();
      await ended;
      channel.close();
    },
  };
}

/** Refuses every stream, as a network does in which none lives. */
class StreamlessController extends HandController {
  streams = 0;

  override connect(): never {
    this.streams += 1;
    throw new Error('no stream lives here');
  }
}

test('where no stream lives, goal states come and reports go by polls', { timeout: 120_000 }, async () => {
  await world.server.close();
  const controller = new StreamlessController();
  controller.goal = {
    service: serviceName('manager'),
    generation: 4,
    replaces: 3,
    versions: [],
    decommission: false,
  };
  const port = Number(world.settings.controller.address.split(':')[1]);
  world.server = await startWatcherServer({
    watchers: controller,
    clock: systemClock,
    host: '127.0.0.1',
    port,
    isReady: () => true,
  });
  const to = link();
  await eventually(() => to.answers.length > 0, { within: 60_000 });
  expect(to.answers[0]?.goal?.generation).toBe(4);
  expect(to.link.state).toMatchObject({ kind: 'Connected', way: 'Poll' });
  expect(controller.streams).toBe(3);
  const before = controller.reports.length;
  to.link.changed();
  await eventually(() => controller.reports.length > before);
  await to.stop();
});

test('one that is told to come back later does, and is let in then', async () => {
  await world.server.close();
  const port = Number(world.settings.controller.address.split(':')[1]);
  const receptions: string[] = [];
  world.server = await startWatcherServer({
    watchers: world.controller,
    clock: systemClock,
    host: '127.0.0.1',
    port,
    isReady: () => true,
    rate: { perSecond: 2, burst: 1 },
    observer: { received: ({ reception }) => void receptions.push(reception) },
  });
  const both = [link(), link()];
  await eventually(() => both.every((one) => one.answers.length > 0), { within: 60_000 });
  expect(receptions).toContain('Later');
  for (const one of both) await one.stop();
});

test.each<[string, (v1: Artifact) => Parameters<WatcherWorld['want']>, string]>([
  ['of an older generation', (v1) => [[v1], { generation: 1, replaces: 2 }], 'is older than 2'],
  [
    'that replaces another one',
    (v1) => [[v1], { generation: 9, replaces: 7 }],
    'replaces 7, and this box works towards 2',
  ],
  ['of another service', (v1) => [[v1], { service: serviceName('billing') }], 'is of the service "billing"'],
  [
    'with a name that is none',
    (v1) => [[{ ...v1, version: '../v1' as never }]],
    'must be lower-case letters',
  ],
  ['of an absurd size', (v1) => [[{ ...v1, size: 2 ** 60 }]], 'must be a whole number from 1 to'],
  ['with an address that is none', (v1) => [[{ ...v1, url: 'ftp://x' }]], 'must begin with https://'],
  ['that wants nothing', () => [[]], 'lists no version and does not order decommission'],
  ['that empties the box', () => [[], { decommission: true }], 'does not allow'],
])(
  'a goal state %s is refused, the controller is told why, and what runs goes on',
  async (_, hostile, reason) => {
    world.start();
    const v1 = await world.release('v1');
    world.want([v1]);
    await world.reported({ v1: 'Ready' });
    world.want([v1]);
    await eventually(() => world.controller.report?.applied === 2);
    world.want(...hostile(v1));
    await eventually(() => world.controller.report?.refusal.includes(reason), { what: reason });
    expect(world.controller.report).toMatchObject({
      applied: 2,
      versions: [{ version: 'v1', state: 'Ready' }],
    });
    expect(await world.diary()).toEqual(['v1']);
  },
);

test('thousands of versions at once are refused by their number, and the watcher lives on', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.want([v1]);
  await world.reported({ v1: 'Ready' });
  world.want(Array.from({ length: 2_000 }, (_, index) => ({ ...v1, version: `v${index}` as never })));
  await eventually(() =>
    world.controller.report?.refusal.includes('lists 2000 versions; this box runs at most 3'),
  );
  world.want([v1], { generation: 3, replaces: 1 });
  await eventually(() => world.controller.report?.applied === 3);
  expect(await world.diary()).toEqual(['v1']);
});

test('an unsigned version in a goal state is reported as such, and the others run', async () => {
  world.start();
  const v1 = await world.release('v1');
  const v2 = await world.release('v2');
  world.want([v1, { ...v2, command: ['/bin/sh', '-c', 'true'] }]);
  await world.reported({ v1: 'Ready', v2: 'ArtifactFailed' });
  expect(world.reasonOf('v2')).toContain('its signature is by none of the 1 public keys of this box');
});
