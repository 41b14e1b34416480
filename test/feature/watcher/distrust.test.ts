/** What a watcher makes of a controller that has no key, and of a goal state that it cannot keep. */
import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Artifact } from '../../../src/model/goal-state.ts';
import { versionName } from '../../../src/model/names.ts';
import { eventually } from '../../support/eventually.ts';
import { createWatcherWorld, type WatcherWorld } from '../../support/watcher-world.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
beforeEach(async () => {
  world = await createWatcherWorld();
});
afterEach(() => world.dispose());

test('another command under the hash and the signature of a good release is never started, also as another version', async () => {
  world.start();
  const v1 = await world.release('v1');
  world.want([v1]);
  await world.reported({ v1: 'Ready' });
  const trace = join(world.folder, 'forged');
  const forged: Artifact = {
    ...v1,
    version: versionName('v2'),
    command: ['/bin/sh', '-c', `: > '${trace}'`],
  };
  world.want([forged, v1]);
  await eventually(() => world.controller.report?.applied === 2);
  await world.reported({ v2: 'ArtifactFailed', v1: 'Ready' });
  expect(world.reasonOf('v2')).toContain('its signature is by none of the 1 public keys of this box');
  expect(existsSync(trace)).toBe(false);
  expect(await world.diary()).toEqual(['v1']);
});

test('a goal state that cannot be kept is not lost: it is followed once there is room again', async () => {
  world.start();
  world.want([await world.release('v1')]);
  await world.reported({ v1: 'Ready' });
  const obstacle = join(world.settings.dataFolder, '.watcher.json.unfinished');
  mkdirSync(obstacle);
  world.want([await world.release('v1'), await world.release('v2')]);
  await eventually(
    () => world.controller.report?.refusal.includes('the box cannot be looked after') === true,
  );
  rmdirSync(obstacle);
  await world.reported({ v1: 'Ready', v2: 'Ready' });
});
