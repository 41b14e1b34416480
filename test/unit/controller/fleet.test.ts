import { describe, expect, test } from 'vitest';
import { Fleet, type FleetOptions } from '../../../src/controller/fleet.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';
import type { WatcherChanges } from '../../../src/ports/store.ts';
import { WatcherRefusedError } from '../../../src/ports/watchers.ts';
import { boxId, watcherIdentity, watcherReport, watcherSeen } from '../../support/watchers.ts';

const manager = serviceName('manager');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

class World {
  now = 1_000 * DAY;
  readonly changed: string[] = [];
  readonly saves: WatcherChanges[] = [];
  isService = true;
  failure: Error | undefined;
  readonly fleet: Fleet;

  constructor(stored: FleetOptions['stored'] = []) {
    this.fleet = new Fleet({
      clock: { now: (): Instant => instant(this.now), sleep: () => Promise.resolve() },
      stored,
      isService: () => this.isService,
      offer: () => ({ kind: 'UpToDate' }),
      changed: (service) => this.changed.push(service),
    });
  }

  connect(id: string) {
    const told = { changed: 0, replaced: 0 };
    const connection = this.fleet.connect(watcherIdentity({ id }), {
      changed: () => (told.changed += 1),
      replaced: () => (told.replaced += 1),
    });
    return { ...connection, told };
  }

  find(id: string) {
    return this.fleet.find(manager, boxId(id));
  }

  async save(): Promise<readonly WatcherChanges[]> {
    const before = this.saves.length;
    await this.fleet.save({
      saveWatchers: async (changes) => {
        if (this.failure !== undefined) throw this.failure;
        this.saves.push(changes);
      },
    });
    return this.saves.slice(before);
  }
}

describe('the fleet', () => {
  test('knows who was stored, as away since they were seen', () => {
    const { fleet } = new World([watcherSeen({ id: 'a', lastSeen: 5_000 })]);
    expect(fleet.of(manager)).toEqual([{ ...watcherSeen({ id: 'a', lastSeen: 5_000 }), isConnected: false }]);
  });

  test('saves what changed and nothing else, in one go', async () => {
    const world = new World();
    const [a] = [world.connect('a'), world.connect('b')];
    expect((await world.save()).flatMap(({ saved }) => saved.map(({ identity }) => identity.id))).toEqual([
      'a',
      'b',
    ]);
    expect(await world.save()).toEqual([]);
    a.report(watcherReport(1, { v1: 'Ready' }));
    const [change] = await world.save();
    expect(change?.saved).toMatchObject([{ identity: { id: 'a' }, report: { applied: 1 } }]);
    a.report({ ...watcherReport(1, { v1: 'Ready' }), diskFree: 7 });
    expect(await world.save()).toEqual([]);
    expect(world.find('a')?.report.diskFree).toBe(7);
  });

  test('a box that is connected is not taken over by another tenant that gives its own the same name', () => {
    const world = new World();
    const a = world.connect('a');
    const other = watcherIdentity({ id: 'a', tenant: 'globex' });
    const listener = { changed: () => undefined, replaced: () => undefined };
    expect(() => world.fleet.connect(other, listener)).toThrow(/another tenant/);
    expect(() => world.fleet.poll(other, watcherReport(1, {}))).toThrow(WatcherRefusedError);
    expect(a.told.replaced).toBe(0);
    expect(world.find('a')?.identity.tenant).toBe('acme');
    a.close();
    world.fleet.connect(other, listener);
    expect(world.find('a')?.identity.tenant).toBe('globex');
  });

  test('saves the last-seen time of a connected watcher now and then', async () => {
    const world = new World();
    world.connect('a');
    await world.save();
    world.now += 4 * MINUTE;
    expect(await world.save()).toEqual([]);
    world.now += 2 * MINUTE;
    expect((await world.save())[0]?.saved).toMatchObject([{ lastSeen: world.now }]);
  });

  test('many are saved in several writes', async () => {
    const world = new World();
    for (let n = 0; n < 2_500; n += 1) world.connect(`box-${n}`);
    expect((await world.save()).map(({ saved }) => saved.length)).toEqual([1_000, 1_000, 500]);
  });

  test('what could not be saved is saved the next time', async () => {
    const world = new World([watcherSeen({ id: 'old' })]);
    world.connect('a');
    world.fleet.forget(manager, boxId('old'));
    world.failure = new Error('the disk is full');
    await expect(world.save()).rejects.toThrow('disk is full');
    world.failure = undefined;
    const [change] = await world.save();
    expect(change?.saved).toHaveLength(1);
    expect(change?.forgotten).toEqual([{ service: manager, id: 'old' }]);
  });

  test('a forgotten box that comes back is not forgotten', async () => {
    const world = new World([watcherSeen({ id: 'a' })]);
    world.fleet.forget(manager, boxId('a'));
    world.connect('a');
    const [change] = await world.save();
    expect(change).toMatchObject({ saved: [{ identity: { id: 'a' } }], forgotten: [] });
  });

  test('the end of a connection that was replaced changes nothing', () => {
    const world = new World();
    const older = world.connect('a');
    world.connect('a');
    expect(older.told.replaced).toBe(1);
    older.close();
    older.report(watcherReport(9));
    expect(world.find('a')).toMatchObject({ isConnected: true, report: { applied: 0 } });
  });

  test('one that polls counts as connected for 90 seconds', () => {
    const world = new World();
    world.fleet.poll(watcherIdentity({ id: 'a' }), watcherReport(1));
    world.now += 89_000;
    world.fleet.expire();
    expect(world.find('a')?.isConnected).toBe(true);
    world.now += 1_000;
    world.fleet.expire();
    expect(world.find('a')?.isConnected).toBe(false);
  });

  test('one that was away for 30 days is forgotten, and all of a deleted service at once', () => {
    const world = new World([watcherSeen({ id: 'a', lastSeen: 970 * DAY + 1 })]);
    world.fleet.expire();
    expect(world.find('a')).toBeDefined();
    world.now += 1;
    world.fleet.expire();
    expect(world.find('a')).toBeUndefined();
    const b = world.connect('b');
    world.isService = false;
    world.fleet.expire();
    expect(world.fleet.of(manager)).toEqual([]);
    expect(b.told.replaced).toBe(1);
  });

  test('nobody is served for a service that does not exist', () => {
    const world = new World();
    world.isService = false;
    expect(() => world.connect('a')).toThrow(WatcherRefusedError);
    expect(() => world.fleet.poll(watcherIdentity(), watcherReport(1))).toThrow(
      /there is no service manager/,
    );
  });

  test('concludes nothing after a start until those that were there are back, or 90 seconds have passed', () => {
    const seen = [
      watcherSeen({ id: 'a', lastSeen: 999 * DAY }),
      watcherSeen({ id: 'long-gone', lastSeen: 1 * DAY }),
    ];
    const world = new World(seen);
    expect(world.fleet.gathering(manager)).toMatch(/1 watchers that were here are not back yet/);
    const other = new World(seen);
    world.connect('a');
    expect(world.fleet.gathering(manager)).toBe('');
    other.now += 90_000;
    expect(other.fleet.gathering(manager)).toBe('');
  });

  test('a watcher is told nothing before it has said how its box stands', () => {
    const world = new World();
    const a = world.connect('a');
    expect(a.answer()).toBeUndefined();
    a.report(watcherReport(1));
    expect(a.answer()).toEqual({ kind: 'NoGoal', reason: 'this box runs what it should' });
    expect(a.answer()).toBeUndefined();
  });
});
