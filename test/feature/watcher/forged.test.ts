/** A controller that has no key makes a box run nothing: what a signature is of counts, not where it was seen before. */
import { existsSync } from 'node:fs';
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
