/** How instances of this machine live: they start, become ready, fail, come back and end. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import { versionName } from '../../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../../src/model/spec.ts';
import { createProcessesWorld, kill, type ProcessesWorld } from '../../../support/processes-world.ts';
import { expectInstances, expectOne, MANAGER, shownFromNow } from '../../../support/shown-instances.ts';

const V1 = versionName('v1');
const V2 = versionName('v2');
const PROBE = { interval: 50, timeout: 2000, failureThreshold: 2 };

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

function wish(spec: ProcessesRuntimeSpec, versions = [V1]): Promise<void> {
  return runtime.want({ service: MANAGER, spec, versions });
}

test('an instance gets its port and id through its command and answers there', async () => {
  await wish(world.spec());
  const { id, address } = await expectOne(runtime, 'Ready', /^GET \/healthz answered 200$/);
  const answer = await fetch(`http://${address.host}:${address.port}/`);
  expect(await answer.json()).toMatchObject({ instance: id, pid: world.alive().get(id)?.[0] });
  expect(id).toMatch(/^manager-v1-1-[0-9a-f]{8}$/);
});

test('over HTTP an instance is ready while it answers 2xx', async () => {
  const unready = join(world.folder, 'unready');
  await writeFile(unready, '');
  await wish(world.spec(['--unready-file', unready]));
  const { id } = await expectOne(
    runtime,
    'Starting',
    /not ready yet: GET http.*\/healthz: answered 503, which is not 200 to 299/,
  );
  await rm(unready);
  await expectOne(runtime, 'Ready');
  await writeFile(unready, '');
  await expectOne(runtime, 'Unready', /probes in a row failed: GET .* answered 503/);
  await rm(unready);
  expect(await expectOne(runtime, 'Ready')).toMatchObject({ id, restarts: 0 });
});

test('over gRPC an instance is ready while its health service says SERVING', async () => {
  const spec = world.spec(['--health', 'manager.v1.Tasks'], {
    readiness: { kind: 'grpc', service: 'manager.v1.Tasks', ...PROBE },
  });
  await wish(spec);
  await expectOne(runtime, 'Ready', /^gRPC health of manager\.v1\.Tasks is SERVING$/);
  await wish({ ...spec, readiness: { kind: 'grpc', service: 'asleep', ...PROBE } });
  await expectOne(runtime, 'Unready', /gRPC health of asleep on port \d+: answered NOT_SERVING/);
});

test('over TCP an instance is ready while it accepts connections', async () => {
  await wish(world.spec([], { readiness: { kind: 'tcp', ...PROBE } }));
  await expectOne(runtime, 'Ready', /^port \d+ accepts connections$/);
});

test('a probe that is not answered in time fails', async () => {
  await wish(world.spec([], { readiness: { kind: 'http', path: '/', ...PROBE } }));
  const { id } = await expectOne(runtime, 'Ready');
  const [pid = 0] = world.alive().get(id) ?? [];
  await wish(
    world.spec([], {
      readiness: { kind: 'http', path: '/', interval: 50, timeout: 100, failureThreshold: 2 },
    }),
  );
  kill(pid, 'SIGSTOP');
  await expectOne(runtime, 'Unready', /no answer within 100 ms/);
  kill(pid, 'SIGCONT');
  await expectOne(runtime, 'Ready');
});

test('an instance that crashes again and again is Failed, with its exit code and the last line of its log', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  const seen = shownFromNow(runtime);
  await wish(world.spec(['--crash-file', crash]));
  await expectOne(
    runtime,
    'Failed',
    /exited with code 3, 3 times in a row; starts again in \d+ ms; last line of its log: fatal: the database is locked$/,
  );
  await rm(crash);
  const { restarts } = await expectOne(runtime, 'Ready');
  expect(restarts).toBeGreaterThanOrEqual(3);
  expect(
    [...seen].some((line) => line.startsWith('Starting: being started again; before, it exited with code 3')),
  ).toBe(true);
});

test('after a stable time its failures are forgotten', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  await wish(world.spec(['--crash-file', crash], { restartBackoff: { initial: 20, max: 100 } }));
  const { id } = await expectOne(runtime, 'Failed', /2 times in a row/);
  await rm(crash);
  await expectOne(runtime, 'Ready');
  const record = join(world.stateFolder, 'instances', `${id}.json`);
  await vi.waitFor(
    async () => expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({ failures: 0 }),
    { timeout: 10_000 },
  );
  kill(world.alive().get(id)?.[0] ?? 0, 'SIGKILL');
  await expectOne(runtime, 'Failed', /^was ended by SIGKILL; starts again/);
});

test('an instance whose process is killed comes back with the same id and port', async () => {
  await wish(world.spec());
  const { id, address } = await expectOne(runtime, 'Ready');
  const seen = shownFromNow(runtime);
  kill(world.alive().get(id)?.[0] ?? 0, 'SIGKILL');
  await expectInstances(runtime, ([instance]) =>
    expect(instance).toMatchObject({ id, address, state: 'Ready', restarts: 1 }),
  );
  expect([...seen].join('\n')).toMatch(/Failed: was ended by SIGKILL; starts again in/);
});

test.each<[string, Partial<ProcessesRuntimeSpec>, RegExp]>([
  ['program', { command: ['/no/such/program'] }, /cannot start "\/no\/such\/program": .*ENOENT/],
  [
    'folder',
    { workingDirectory: '/no/such/folder' },
    /workingDirectory "\/no\/such\/folder" must be a folder that exists/,
  ],
])('a command whose %s does not exist is Failed, by name', async (_, changes, reason) => {
  await wish(world.spec([], changes));
  await expectOne(runtime, 'Failed', reason);
});

test('an instance that ignores SIGTERM gets SIGKILL after its grace time', async () => {
  await wish(world.spec(['--ignore-term'], { stopGrace: 300 }));
  await expectOne(runtime, 'Ready');
  const seen = shownFromNow(runtime);
  await wish(world.spec(['--ignore-term'], { stopGrace: 300 }), []);
  expect(runtime.instances(MANAGER)[0]).toMatchObject({
    state: 'Stopping',
    reason: 'SIGTERM is sent; SIGKILL follows after 300 ms',
  });
  await expectInstances(runtime, (instances) => expect(instances).toEqual([]));
  expect([...seen].join('\n')).toMatch(
    /Stopping: the grace time is over: SIGKILL is sent to what is left, 1 in number/,
  );
  expect(world.alive()).toEqual(new Map());
});

test('what an instance has started ends with it', async () => {
  await wish(world.spec(['--child']));
  const { id } = await expectOne(runtime, 'Ready');
  expect(world.alive().get(id)).toHaveLength(2);
  await wish(world.spec(['--child']), []);
  await expectInstances(runtime, (instances) => expect(instances).toEqual([]));
  expect(world.alive()).toEqual(new Map());
});

test('what a main process that died has left behind is ended before the next start', async () => {
  await wish(world.spec(['--child']));
  const { id } = await expectOne(runtime, 'Ready');
  const before = world.alive().get(id) ?? [];
  const [main] = (await world.diary()).map(({ pid }) => pid);
  kill(main ?? 0, 'SIGKILL');
  await expectInstances(runtime, ([instance]) =>
    expect(instance).toMatchObject({ state: 'Ready', restarts: 1 }),
  );
  const after = world.alive().get(id) ?? [];
  expect(after).toHaveLength(2);
  expect(after.filter((pid) => before.includes(pid))).toEqual([]);
});

test('an instance that is stopped while it waits for its next start is gone', async () => {
  const spec = world.spec([], {
    command: ['/no/such/program'],
    restartBackoff: { initial: 600_000, max: 600_000 },
  });
  await wish(spec);
  await expectOne(runtime, 'Failed');
  await wish(spec, []);
  await expectInstances(runtime, (instances) => expect(instances).toEqual([]));
});

test('a running version keeps its command when the spec gets another one, and a new version gets that', async () => {
  await wish(world.spec());
  const before = await expectOne(runtime, 'Ready');
  const changed = world.spec(['--child']);
  await wish(changed, [V1, V2]);
  await expectInstances(runtime, (instances) =>
    expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready']),
  );
  expect(runtime.instances(MANAGER)[0]).toEqual(before);
  expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching(/^version v1 keeps the command/)]);
  expect(new Set([...world.alive().values()].map((pids) => pids.length))).toEqual(new Set([1, 2]));
});

test('the number of instances of a running version follows the spec', async () => {
  await wish(world.spec());
  const { id } = await expectOne(runtime, 'Ready');
  await wish(world.spec([], { instances: 3 }));
  await expectInstances(runtime, (instances) =>
    expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready', 'Ready']),
  );
  await wish(world.spec());
  expect((await expectOne(runtime, 'Ready')).id).toBe(id);
});

test('the output of an instance is in its log', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  await wish(world.spec(['--crash-file', crash]));
  const { id } = await expectOne(runtime, 'Failed');
  const log = await readFile(join(world.stateFolder, 'logs', `${id}.log`), 'utf8');
  expect(log).toMatch(/^opening the database\nfatal: the database is locked\n/);
});
