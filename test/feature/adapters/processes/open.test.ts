/** Where the processes runtime refuses to begin. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { FolderInUseError } from '../../../../src/adapters/processes/folder-lock.ts';
import { ProcessesRuntime, UnsupportedPlatformError } from '../../../../src/adapters/processes/runtime.ts';
import type { Clock } from '../../../../src/ports/clock.ts';

let stateFolder: string;
beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), 'switchyard-open-'));
});
afterEach(() => rm(stateFolder, { recursive: true, force: true }));

test('on another platform than Linux it says so', async () => {
  const opened = ProcessesRuntime.open({ clock: systemClock, stateFolder, platform: 'darwin' });
  await expect(opened).rejects.toThrow(UnsupportedPlatformError);
  await expect(opened).rejects.toThrow(/needs Linux, and this is darwin/);
});

test('a state folder has one user at a time', async () => {
  const first = await ProcessesRuntime.open({ clock: systemClock, stateFolder });
  // A clock whose waits are over at once: a second user waits a while for a first one that is going.
  const clock: Clock = { now: () => systemClock.now(), sleep: () => setImmediate() };
  const second = ProcessesRuntime.open({ clock, stateFolder: join(stateFolder, '.') });
  await expect(second).rejects.toThrow(FolderInUseError);
  await expect(second).rejects.toThrow(/is in use by another controller/);
  await first.close();
  const third = await ProcessesRuntime.open({ clock: systemClock, stateFolder });
  await third.close();
});

test('a record that cannot be understood stops the start and leaves the folder free', async () => {
  await (await ProcessesRuntime.open({ clock: systemClock, stateFolder })).close();
  const record = join(stateFolder, 'instances', 'manager-v1-1-0123abcd.json');
  await writeFile(record, '{');
  await expect(ProcessesRuntime.open({ clock: systemClock, stateFolder })).rejects.toThrow(
    /0123abcd\.json cannot be understood/,
  );
  await rm(record);
  await (await ProcessesRuntime.open({ clock: systemClock, stateFolder })).close();
});
