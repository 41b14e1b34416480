/** A wish that cannot be recorded is refused and changes nothing; once it can be, it is fulfilled. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import { createProcessesWorld, kill, type ProcessesWorld } from '../../../support/processes-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const V2 = versionName('v2');

let world: ProcessesWorld;
let runtime: ProcessesRuntime;
beforeEach(async () => {
  world = await createProcessesWorld();
  runtime = await world.open();
});
afterEach(async () => {
  await runtime.close();
  await world.dispose();
});

function wish(versions: readonly (typeof V1)[]): Promise<void> {
  return runtime.want({ service: MANAGER, spec: world.spec(), versions });
}

async function expectReady(...versions: string[]): Promise<void> {
  const wanted = versions.map((version) => `${version} Ready`);
  await vi.waitFor(
    () =>
      expect(runtime.instances(MANAGER).map(({ version, state }) => `${version} ${state}`)).toEqual(wanted),
    { timeout: 15_000, interval: 10 },
  );
}

/** Takes the folder of records away, so that nothing can be written; resolves with the way to bring it back. */
async function breakJournal(): Promise<() => Promise<void>> {
  const folder = join(world.stateFolder, 'instances');
  await rename(folder, `${folder}.away`);
  return () => rename(`${folder}.away`, folder);
}

test('neither a start nor a stop happens that cannot be recorded', async () => {
  await wish([V1]);
  await expectReady('v1');
  const before = runtime.instances(MANAGER);
  const repair = await breakJournal();
  await expect(wish([V1, V2])).rejects.toThrow(/ENOENT/);
  await expect(wish([])).rejects.toThrow(/ENOENT/);
  await expect(runtime.forget(MANAGER)).rejects.toThrow(/ENOENT/);
  expect(runtime.instances(MANAGER)).toEqual(before);
  expect(world.alive().size).toBe(1);
  await repair();
  await wish([V1, V2]);
  await expectReady('v1', 'v2');
  expect(runtime.instances(MANAGER)[0]?.id).toBe(before[0]?.id);
});

test('an instance that cannot be recorded is not started again, and says why, until it can be', async () => {
  await wish([V1]);
  await expectReady('v1');
  const id = runtime.instances(MANAGER)[0]?.id ?? '';
  const [pid = 0] = world.alive().get(id) ?? [];
  const repair = await breakJournal();
  kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(runtime.instances(MANAGER)[0]?.reason).toMatch(/ENOENT.*starts again in/), {
    timeout: 15_000,
    interval: 10,
  });
  expect(runtime.instances(MANAGER)[0]?.state).toBe('Failed');
  expect(runtime.problems(MANAGER)).toEqual([
    expect.stringMatching(`the record of ${id} cannot be written: ENOENT`),
  ]);
  expect(world.alive().size).toBe(0);
  await repair();
  await expectReady('v1');
  expect(runtime.problems(MANAGER)).toEqual([]);
});

test('a stop that cannot be finished is tried again', async () => {
  // It ends only after its grace time, so that the records are away by then.
  const spec = world.spec(['--ignore-term'], { stopGrace: 1000 });
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  await expectReady('v1');
  await runtime.want({ service: MANAGER, spec, versions: [] });
  const repair = await breakJournal();
  await vi.waitFor(
    () =>
      expect(runtime.instances(MANAGER)[0]?.reason).toMatch(
        /cannot be stopped, and is tried again: .*ENOENT/,
      ),
    { timeout: 15_000, interval: 10 },
  );
  await repair();
  await expectReady();
});
