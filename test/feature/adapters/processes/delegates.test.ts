/** Instances that are drained before they stop, and given up when they end too often: how a watcher runs delegates. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import type { Instance } from '../../../../src/model/instance.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../../src/model/spec.ts';
import { eventually } from '../../../support/eventually.ts';
import { createProcessesWorld, kill, type ProcessesWorld } from '../../../support/processes-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const PROGRAM = fileURLToPath(new URL('../../../support/programs/delegate.ts', import.meta.url));

let world: ProcessesWorld;
let runtime: ProcessesRuntime;
beforeEach(async () => {
  world = await createProcessesWorld();
});
afterEach(async () => {
  await rm(join(world.folder, 'v1.tasks'), { force: true });
  await runtime.close();
  await world.dispose();
});

async function open(limit?: number): Promise<void> {
  runtime = await ProcessesRuntime.open({
    clock: systemClock,
    stateFolder: world.stateFolder,
    drain: { path: '/drain', statusPath: '/healthz', ...(limit !== undefined && { limit }) },
    budget: { ends: 3, within: 600_000 },
  });
}

function spec(flags: readonly string[] = []): ProcessesRuntimeSpec {
  const command = [process.execPath, PROGRAM, '--port', '${port}', '--version', '${version}'];
  const diary = ['--diary', join(world.folder, 'diary'), '--control', world.folder];
  return world.spec([], { command: [...command, ...diary, ...flags], stopGrace: 300 });
}

const want = (versions: readonly (typeof V1)[], flags?: readonly string[]): Promise<void> =>
  runtime.want({ service: MANAGER, spec: spec(flags), versions });
const only = (): Instance | undefined => runtime.instances(MANAGER)[0];
const ready = (): Promise<boolean> => eventually(() => only()?.state === 'Ready');
const gone = (): Promise<boolean> => eventually(() => runtime.instances(MANAGER).length === 0);
const tasks = (count: number): Promise<void> => writeFile(join(world.folder, 'v1.tasks'), String(count));

test('an instance with open tasks is waited for, over the restart of whoever waits, and ends by itself', async () => {
  await open();
  await want([V1]);
  await ready();
  await tasks(2);
  await want([]);
  await eventually(() => only()?.reason === 'draining: 2 tasks open');
  await runtime.close();
  await open();
  await eventually(() => only()?.reason === 'draining: 2 tasks open');
  expect(world.alive().size).toBe(1);
  await tasks(0);
  await gone();
  expect(await world.diary()).toHaveLength(1);
});

test('one that knows no drain is told by SIGTERM and waited for all the same', async () => {
  await open();
  await want([V1], ['--deaf']);
  await ready();
  await tasks(1);
  await want([]);
  await eventually(() => only()?.reason === 'draining: 1 tasks open');
  expect(world.alive().size).toBe(1);
  await tasks(0);
  await gone();
});

test('where a limit is set, a drain that lasts longer is cut short', async () => {
  await open(500);
  await want([V1]);
  await ready();
  await tasks(1);
  await want([]);
  await gone();
  expect(world.alive().size).toBe(0);
});

test('one that was never ready has no work, and is stopped at once', async () => {
  await open();
  await writeFile(join(world.folder, 'v1.unready'), '');
  await tasks(5);
  await want([V1]);
  await eventually(() => only()?.reason.includes('answered 503'));
  await want([]);
  await gone();
  expect(world.alive().size).toBe(0);
});

test('an end is counted once, whoever restarts while it waits for its next start', async () => {
  const patient = { ...spec(), restartBackoff: { initial: 60_000, max: 60_000 } };
  await open();
  await runtime.want({ service: MANAGER, spec: patient, versions: [V1] });
  await ready();
  for (const pid of world.alive().get(only()?.id ?? '') ?? []) kill(pid, 'SIGKILL');
  await eventually(() => only()?.state === 'Failed');
  for (let restart = 0; restart < 3; restart += 1) {
    await runtime.close();
    await open();
    await runtime.settled(MANAGER);
  }
  expect(only()?.givenUp).toBeUndefined();
  await ready();
  expect(await world.diary()).toHaveLength(2);
});

test('one that ends three times is given up with its last words, stays so after a restart, and starts when wished anew', async () => {
  await open();
  await writeFile(join(world.folder, 'v1.crash'), '');
  await want([V1]);
  const given = await eventually(() => only()?.givenUp);
  expect(given).toMatch(
    /^exited with code 3, the 3rd time within 600 s, and is not started again; last line of its log: fatal: this release/,
  );
  expect(await world.diary()).toHaveLength(3);
  await runtime.close();
  await open();
  await want([V1]);
  await eventually(() => only()?.givenUp === given);
  expect(await world.diary()).toHaveLength(3);
  await want([]);
  await gone();
  await rm(join(world.folder, 'v1.crash'));
  await want([V1]);
  await ready();
});
