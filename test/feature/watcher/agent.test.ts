/** A watcher on its box, against the real server and with delegates that are processes: what it runs, and what it says. */
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WatcherStatus } from '../../../src/model/watcher.ts';
import { eventually } from '../../support/eventually.ts';
import { createWatcherWorld, type WatcherWorld } from '../../support/watcher-world.ts';

// Processes are started, and a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
beforeEach(async () => {
  world = await createWatcherWorld();
});
afterEach(() => world.dispose());

test('a version that is wanted is fetched and started, and the old one is drained once it is healthy', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.want([v1]);
  await world.reported({ v1: 'Ready' });
  world.set('v1', 'tasks', '2');
  world.set('v2', 'unready');
  world.want([v1, await world.release('v2')]);
  await world.reported({ v1: 'Ready', v2: 'Starting' });
  world.set('v2', 'unready', false);
  await world.reported({ v1: 'Ready', v2: 'Ready' });
  expect(world.controller.report?.versions[0]?.openTasks).toBe(2);
  world.want([await world.release('v2')]);
  await world.reported({ v2: 'Ready', v1: 'Draining' });
  await eventually(() => world.reasonOf('v1') === 'draining: 2 tasks open');
  world.set('v1', 'tasks', false);
  await world.reported({ v2: 'Ready' });
  expect(await world.diary()).toEqual(['v1', 'v2']);
  expect(world.controller.report).toMatchObject({ seen: 3, applied: 3, refusal: '' });
});

test('a goal state that cannot be written down is tried again until it can, and the controller hears of it', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.want([v1]);
  await world.reported({ v1: 'Ready' });
  const inTheWay = join(world.settings.dataFolder, '.watcher.json.unfinished');
  mkdirSync(inTheWay);
  world.want([v1, await world.release('v2')]);
  await eventually(
    () => world.controller.report?.refusal.includes('the box cannot be looked after: EISDIR'),
    {
      within: 60_000,
    },
  );
  expect(world.controller.report).toMatchObject({
    applied: 1,
    versions: [{ version: 'v1', state: 'Ready' }],
  });
  rmdirSync(inTheWay);
  await world.reported({ v1: 'Ready', v2: 'Ready' });
  expect(world.controller.report).toMatchObject({ applied: 2, refusal: '' });
});

test('an unwanted version stays while no wanted one is healthy', async () => {
  world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v2', 'unready');
  world.want([await world.release('v2')]);
  await world.reported({ v2: 'Starting', v1: 'Ready' });
  expect(world.reasonOf('v1')).toContain(
    'it is not wanted any more, and stays until another version is healthy',
  );
  await eventually(() => world.alive().length === 2);
  await world.reported({ v2: 'Starting', v1: 'Ready' });
});

test('while the controller is away all goes on, over a restart of the watcher, and a delegate that dies is started again', async () => {
  const first = world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  await world.stopServer();
  await first.stop();
  const before = world.alive();
  const second = world.start();
  await eventually(() => second.proven());
  expect(world.alive()).toEqual(before);
  process.kill(before[0] ?? 0, 'SIGKILL');
  await eventually(() => world.alive().length === 1 && world.alive()[0] !== before[0]);
  const status = await world.ask<WatcherStatus>('GET', '/status');
  expect(status.link).toMatchObject({ kind: 'Connecting' });
  await world.startServer();
  const reports = world.controller.reports.length;
  await eventually(() => world.controller.reports.length > reports, { within: 15_000 });
  await world.reported({ v1: 'Ready' });
});

test('a box of one switches: the old version is drained, then the new one starts', async () => {
  world.start({ settings: { identity: { ...world.settings.identity, maxVersions: 1 } } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v1', 'tasks', '1');
  world.want([await world.release('v2')]);
  await world.reported({ v2: 'Switching', v1: 'Draining' });
  expect(world.reasonOf('v2')).toBe('waits for room: 1 may run, and v1 do');
  world.set('v1', 'tasks', false);
  await world.reported({ v2: 'Ready' });
  expect(await world.diary()).toEqual(['v1', 'v2']);
});

test('a version that never gets ready is reported as never healthy, with its reason', async () => {
  world.set('v1', 'unready');
  world.start({ settings: { startDeadline: 1_000 } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Unready' });
  expect(world.reasonOf('v1')).toMatch(/^never healthy since its start at /);
  await eventually(() => world.reasonOf('v1').includes('not ready yet: GET http://127.0.0.1'));
  await eventually(() => world.reasonOf('v1').includes('answered 503'));
});

test('a delegate that hangs is reported, and is not killed for it', async () => {
  world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v1', 'hang');
  await world.reported({ v1: 'Unready' });
  expect(world.reasonOf('v1')).toContain('no answer within 2000 ms');
  world.set('v1', 'hang', false);
  await world.reported({ v1: 'Ready' });
  expect(await world.diary()).toEqual(['v1']);
});

test('a delegate whose version the service refuses is not counted as ready', async () => {
  world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v1', 'refused');
  await world.reported({ v1: 'Unready' });
  expect(world.reasonOf('v1')).toContain('the service refuses its version');
});

test('what the policy refuses is not run, and both sides are told', async () => {
  world.start({ policy: { allowedVersions: ['v1'] } });
  const v1 = await world.release('v1');
  world.want([v1, await world.release('v2')]);
  await world.reported({ v1: 'Ready', v2: 'Refused' });
  const reason = "the customer's policy allows versions v1, not v2";
  expect(world.controller.report?.refusal).toBe(reason);
  expect((await world.ask<WatcherStatus>('GET', '/status')).report.refusal).toBe(reason);
});

test('while the window is closed nothing is started, and the controller is told when it opens', async () => {
  // A minute that lies half a day away, whenever this runs.
  const minute = (new Date().getUTCHours() * 60 + 720) % 1440;
  const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
  world.start({ policy: { windows: [{ days, startMinute: minute, duration: 3_600_000 }] } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'WaitingForWindow' });
  expect(world.controller.report?.windowOpens).toBeGreaterThan(Date.now());
  expect(await world.diary()).toEqual([]);
});

test('a decommission empties the box where the policy allows it, and nowhere else', async () => {
  const watcher = world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.want([], { decommission: true });
  await eventually(() =>
    world.controller.report?.refusal.includes(
      'orders decommission, which the policy of this box does not allow',
    ),
  );
  await world.reported({ v1: 'Ready' });
  await watcher.stop();
  world.start({ policy: { decommission: true } });
  await world.reported({});
  expect(world.alive()).toEqual([]);
});

test('a box that was told nothing says so, and stops nothing', async () => {
  const watcher = world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  await watcher.stop();
  world.controller.goal = undefined;
  world.start();
  await world.reported({ v1: 'Ready' });
  await eventually(
    async () => (await world.ask<WatcherStatus>('GET', '/status')).answer === 'nothing is wanted yet',
  );
  expect(world.alive()).toHaveLength(1);
});

test('the limits of the policy hold for the processes of delegates', async () => {
  const limits = { memory: 2 ** 31, niceness: 7, disk: 2 ** 33, keepFree: 0, artifact: 2 ** 30 };
  world.start({ policy: { limits } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  const [pid = 0] = world.alive();
  expect(getPriority(pid)).toBe(getPriority() + 7);
  const text = readFileSync(`/proc/${pid}/limits`, 'utf8');
  expect(text).toMatch(/Max data size +2147483648 +2147483648 /);
  expect(text).toMatch(/Max file size +8589934592 +8589934592 /);
});

test('a command that needs what the box does not have is not started, and the report says what', async () => {
  world.start({ settings: { environment: { WORLD: world.folder } } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'ArtifactFailed' });
  expect(world.reasonOf('v1')).toBe(
    "its command needs ${env.DIARY}, and environment in the watcher's file has no DIARY",
  );
});
