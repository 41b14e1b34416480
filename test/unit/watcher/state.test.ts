/** What a watcher remembers: nothing of it is lost where several write at once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { serviceName } from '../../../src/model/names.ts';
import { StateFile } from '../../../src/watcher/state.ts';
import { artifact, goal } from '../../support/boxes.ts';

const SERVICE = serviceName('manager');

test('changes that are asked for together are all kept, in the file too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-state-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'watcher.json');
  const state = await StateFile.open(path, SERVICE);
  const v1 = artifact('v1');
  await Promise.all([
    state.change(() => ({ seen: 7, goal: goal([v1]) })),
    state.change(() => ({ started: [{ version: v1.version, artifact: v1 }] })),
    state.change(({ healthy }) => ({ healthy: [...healthy, 'one'] })),
  ]);
  const expected = { seen: 7, goal: goal([v1]), started: [{ version: 'v1' }], healthy: ['one'] };
  expect(state.current).toMatchObject(expected);
  expect((await StateFile.open(path, SERVICE)).current).toMatchObject(expected);
});
