/** What a watcher gives up, and what brings it back: crash budgets, versions that never get healthy, operators' orders. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { createWatcherWorld, type WatcherWorld } from '../../support/watcher-world.ts';

// Processes are started, and a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
beforeEach(async () => {
  world = await createWatcherWorld();
});
afterEach(() => world.dispose());

test('a box of one whose new version cannot live goes back to the last good one, and says so', async () => {
  world.start({ settings: { identity: { ...world.settings.identity, maxVersions: 1 } } });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v2', 'crash');
  world.want([await world.release('v2')]);
  await world.reported({ v2: 'CrashLooping', v1: 'Ready' });
  expect(await world.diary()).toEqual(['v1', 'v2', 'v2', 'v2', 'v1']);
});

test('a box of one whose new version hangs from its start goes back to the last good one, and says so', async () => {
  world.start({
    settings: { identity: { ...world.settings.identity, maxVersions: 1 }, startDeadline: 3_000 },
  });
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  world.set('v2', 'hang');
  world.want([await world.release('v2')]);
  await world.reported({ v2: 'CrashLooping', v1: 'Ready' });
  expect(world.reasonOf('v2')).toContain('never healthy since its start');
  expect(await world.diary()).toEqual(['v1', 'v2', 'v1']);
});

test('a version that ends three times is given up with its last words, the good one stays, and retry starts it again', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.want([v1]);
  await world.reported({ v1: 'Ready' });
  world.set('v2', 'crash');
  world.want([v1, await world.release('v2')]);
  await world.reported({ v1: 'Ready', v2: 'CrashLooping' });
  expect(world.reasonOf('v2')).toMatch(
    /^exited with code 3, the 3rd time .*: fatal: this release cannot start$/,
  );
  world.want([await world.release('v2')]);
  await eventually(() => world.controller.report?.applied === 3);
  await world.reported({ v2: 'CrashLooping', v1: 'Ready' });
  world.set('v2', 'crash', false);
  expect(await world.ask('POST', '/retry?version=v2')).toEqual({ versions: ['v2'] });
  await world.reported({ v2: 'Ready' });
  expect(await world.diary()).toEqual(['v1', 'v2', 'v2', 'v2', 'v2']);
});

test('a version that was given up is tried again by the goal state of an order, once for each', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.set('v2', 'crash');
  const v2 = await world.release('v2');
  world.want([v1, v2]);
  await world.reported({ v1: 'Ready', v2: 'CrashLooping' });
  const attempt = (number: number): void => {
    const versions = [v1, v2].map((artifact) => ({ version: artifact.version, artifact, attempt: number }));
    world.want([], { versions });
  };
  attempt(1);
  await eventually(async () => (await world.diary()).length === 7, { within: 30_000 });
  await world.reported({ v1: 'Ready', v2: 'CrashLooping' });
  world.set('v2', 'crash', false);
  attempt(2);
  await world.reported({ v1: 'Ready', v2: 'Ready' });
  // What runs well is not touched by it.
  expect((await world.diary()).filter((version) => version === 'v1')).toEqual(['v1']);
});

test('an artifact that was refused is fetched again by the goal state of an order', async () => {
  world.start();
  const v1 = await world.release('v1');
  const file = v1.url.slice('file://'.length);
  const content = readFileSync(file);
  writeFileSync(file, Buffer.from(content).fill(0, 0, 10));
  world.want([v1]);
  await world.reported({ v1: 'ArtifactFailed' });
  writeFileSync(file, content);
  world.want([], { versions: [{ version: v1.version, artifact: v1, attempt: 1 }] });
  await world.reported({ v1: 'Ready' });
  expect(await world.diary()).toEqual(['v1']);
});
