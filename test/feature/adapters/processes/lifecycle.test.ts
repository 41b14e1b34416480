/** How instances of this machine live: they start, become ready, fail, come back and end. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import type { Instance } from '../../../../src/model/instance.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../../src/model/spec.ts';
import {
  createProcessesWorld,
  kill,
  PROGRAM,
  type ProcessesWorld,
} from '../../../support/processes-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const V2 = versionName('v2');
const PROBE = { interval: 50, timeout: 2000, failureThreshold: 2 };

let world: ProcessesWorld;
let runtime: ProcessesRuntime;
let strangers: Server[];

beforeEach(async () => {
  world = await createProcessesWorld();
  runtime = await world.open();
  strangers = [];
});
afterEach(async () => {
  await Promise.all(strangers.map((server) => new Promise((resolve) => server.close(resolve))));
  await runtime.close();
  await world.dispose();
});

function wish(spec: ProcessesRuntimeSpec, versions = [V1]): Promise<void> {
  return runtime.want({ service: MANAGER, spec, versions });
}

function expectInstances(check: (instances: readonly Instance[]) => void): Promise<void> {
  return vi.waitFor(() => check(runtime.instances(MANAGER)), { timeout: 15_000, interval: 10 });
}

/** Waits until there is one instance in this state, with a reason that matches. */
async function expectOne(state: Instance['state'], reason = /./): Promise<Instance> {
  await expectInstances((instances) => {
    expect(instances).toEqual([expect.objectContaining({ state, reason: expect.stringMatching(reason) })]);
  });
  return runtime.instances(MANAGER)[0] as Instance;
}

/** Every reason that the instance shows from now on. */
function reasons(): Set<string> {
  const seen = new Set<string>();
  runtime.subscribe(() => {
    for (const { state, reason } of runtime.instances(MANAGER)) seen.add(`${state}: ${reason}`);
  });
  return seen;
}

async function listenAt(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  strangers.push(server);
}

test('an instance gets its port and id through its command and answers there', async () => {
  await wish(world.spec());
  const { id, address } = await expectOne('Ready', /^GET \/healthz answered 200$/);
  const answer = await fetch(`http://${address.host}:${address.port}/`);
  expect(await answer.json()).toMatchObject({ instance: id, pid: world.alive().get(id)?.[0] });
  expect(id).toMatch(/^manager-v1-1-[0-9a-f]{8}$/);
});

test('over HTTP an instance is ready while it answers 2xx', async () => {
  const unready = join(world.folder, 'unready');
  await writeFile(unready, '');
  await wish(world.spec(['--unready-file', unready]));
  const { id } = await expectOne(
    'Starting',
    /not ready yet: GET http.*\/healthz: answered 503, which is not 200 to 299/,
  );
  await rm(unready);
  await expectOne('Ready');
  await writeFile(unready, '');
  await expectOne('Unready', /probes in a row failed: GET .* answered 503/);
  await rm(unready);
  expect(await expectOne('Ready')).toMatchObject({ id, restarts: 0 });
});

test('over gRPC an instance is ready while its health service says SERVING', async () => {
  const spec = world.spec(['--health', 'manager.v1.Tasks'], {
    readiness: { kind: 'grpc', service: 'manager.v1.Tasks', ...PROBE },
  });
  await wish(spec);
  await expectOne('Ready', /^gRPC health of manager\.v1\.Tasks is SERVING$/);
  await wish({ ...spec, readiness: { kind: 'grpc', service: 'asleep', ...PROBE } });
  await expectOne('Unready', /gRPC health of asleep on port \d+: answered NOT_SERVING/);
});

test('over TCP an instance is ready while it accepts connections', async () => {
  await wish(world.spec([], { readiness: { kind: 'tcp', ...PROBE } }));
  await expectOne('Ready', /^port \d+ accepts connections$/);
});

test('a probe that is not answered in time fails', async () => {
  await wish(world.spec([], { readiness: { kind: 'http', path: '/', ...PROBE } }));
  const { id } = await expectOne('Ready');
  const [pid = 0] = world.alive().get(id) ?? [];
  await wish(
    world.spec([], {
      readiness: { kind: 'http', path: '/', interval: 50, timeout: 100, failureThreshold: 2 },
    }),
  );
  kill(pid, 'SIGSTOP');
  await expectOne('Unready', /no answer within 100 ms/);
  kill(pid, 'SIGCONT');
  await expectOne('Ready');
});

test('an instance that crashes again and again is Failed, with its exit code and the last line of its log', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  const seen = reasons();
  await wish(world.spec(['--crash-file', crash]));
  await expectOne(
    'Failed',
    /exited with code 3, 3 times in a row; starts again in \d+ ms; last line of its log: fatal: the database is locked$/,
  );
  await rm(crash);
  const { restarts } = await expectOne('Ready');
  expect(restarts).toBeGreaterThanOrEqual(3);
  expect(
    [...seen].some((line) => line.startsWith('Starting: being started again; before, it exited with code 3')),
  ).toBe(true);
});

test('after a stable time its failures are forgotten', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  await wish(world.spec(['--crash-file', crash], { restartBackoff: { initial: 20, max: 100 } }));
  const { id } = await expectOne('Failed', /2 times in a row/);
  await rm(crash);
  await expectOne('Ready');
  const record = join(world.stateFolder, 'instances', `${id}.json`);
  await vi.waitFor(
    async () => expect(JSON.parse(await readFile(record, 'utf8'))).toMatchObject({ failures: 0 }),
    { timeout: 10_000 },
  );
  kill(world.alive().get(id)?.[0] ?? 0, 'SIGKILL');
  await expectOne('Failed', /^was ended by SIGKILL; starts again/);
});

test('an instance whose process is killed comes back with the same id and port', async () => {
  await wish(world.spec());
  const { id, address } = await expectOne('Ready');
  const seen = reasons();
  kill(world.alive().get(id)?.[0] ?? 0, 'SIGKILL');
  await expectInstances(([instance]) =>
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
  await expectOne('Failed', reason);
});

test('an instance that ignores SIGTERM gets SIGKILL after its grace time', async () => {
  await wish(world.spec(['--ignore-term'], { stopGrace: 300 }));
  await expectOne('Ready');
  const seen = reasons();
  await wish(world.spec(['--ignore-term'], { stopGrace: 300 }), []);
  expect(runtime.instances(MANAGER)[0]).toMatchObject({
    state: 'Stopping',
    reason: 'SIGTERM is sent; SIGKILL follows after 300 ms',
  });
  await expectInstances((instances) => expect(instances).toEqual([]));
  expect([...seen].join('\n')).toMatch(
    /Stopping: the grace time is over: SIGKILL is sent to what is left, 1 in number/,
  );
  expect(world.alive()).toEqual(new Map());
});

test('what an instance has started ends with it', async () => {
  await wish(world.spec(['--child']));
  const { id } = await expectOne('Ready');
  expect(world.alive().get(id)).toHaveLength(2);
  await wish(world.spec(['--child']), []);
  await expectInstances((instances) => expect(instances).toEqual([]));
  expect(world.alive()).toEqual(new Map());
});

test('what a main process that died has left behind is ended before the next start', async () => {
  await wish(world.spec(['--child']));
  const { id } = await expectOne('Ready');
  const before = world.alive().get(id) ?? [];
  const [main] = (await world.diary()).map(({ pid }) => pid);
  kill(main ?? 0, 'SIGKILL');
  await expectInstances(([instance]) => expect(instance).toMatchObject({ state: 'Ready', restarts: 1 }));
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
  await expectOne('Failed');
  await wish(spec, []);
  await expectInstances((instances) => expect(instances).toEqual([]));
});

test('a port that another program listens on is not used', async () => {
  await listenAt(world.ports.from);
  await wish(world.spec([], { instances: 2 }));
  await expectInstances((instances) =>
    expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready']),
  );
  const used = runtime.instances(MANAGER).map(({ address }) => address.port);
  expect(used).not.toContain(world.ports.from);
});

test('where no port is free the instance is Failed until one is', async () => {
  const { from } = world.ports;
  await listenAt(from);
  await wish(world.spec([], { ports: { from, to: from } }));
  await expectOne(
    'Failed',
    /no free port in \d+-\d+: 0 held by other instances, 1 by other programs; widen the range/,
  );
  await new Promise((resolve) => strangers.pop()?.close(resolve));
  await expectOne('Ready');
});

test('an answer from a stranger on its port does not make an instance ready: it moves to another port', async () => {
  const seen = reasons();
  await wish(world.spec([], { command: ['sleep', '600', '${port}'] }));
  const { address } = await expectOne('Starting', /nothing listens there/);
  await listenAt(address.port);
  await expectInstances(([instance]) => {
    expect(instance?.address.port).not.toBe(address.port);
    expect(instance).toMatchObject({
      state: 'Starting',
      reason: expect.stringMatching(/nothing listens there/),
    });
  });
  expect([...seen].join('\n')).toMatch(/Failed: found another program on its port/);
  expect([...seen].join('\n')).not.toMatch(/Ready:/);
  expect([...world.alive().values()]).toEqual([[expect.any(Number)]]);
});

test('a child of the main process may be the one that listens', async () => {
  const script = `${process.execPath} ${PROGRAM} --port "$0" & wait`;
  await wish(world.spec([], { command: ['sh', '-c', script, '${port}'] }));
  await expectOne('Ready');
});

test('a running version keeps its command when the spec gets another one, and a new version gets that', async () => {
  await wish(world.spec());
  const before = await expectOne('Ready');
  const changed = world.spec(['--child']);
  await wish(changed, [V1, V2]);
  await expectInstances((instances) =>
    expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready']),
  );
  expect(runtime.instances(MANAGER)[0]).toEqual(before);
  expect(runtime.problems(MANAGER)).toEqual([expect.stringMatching(/^version v1 keeps the command/)]);
  expect(new Set([...world.alive().values()].map((pids) => pids.length))).toEqual(new Set([1, 2]));
});

test('the number of instances of a running version follows the spec', async () => {
  await wish(world.spec());
  const { id } = await expectOne('Ready');
  await wish(world.spec([], { instances: 3 }));
  await expectInstances((instances) =>
    expect(instances.map(({ state }) => state)).toEqual(['Ready', 'Ready', 'Ready']),
  );
  await wish(world.spec());
  expect((await expectOne('Ready')).id).toBe(id);
});

test('the output of an instance is in its log', async () => {
  const crash = join(world.folder, 'crash');
  await writeFile(crash, '');
  await wish(world.spec(['--crash-file', crash]));
  const { id } = await expectOne('Failed');
  const log = await readFile(join(world.stateFolder, 'logs', `${id}.log`), 'utf8');
  expect(log).toMatch(/^opening the database\nfatal: the database is locked\n/);
});
