/** Which port an instance gets, and whose answer on it counts. */
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import { versionName } from '../../../../src/model/names.ts';
import type { ProcessesRuntimeSpec } from '../../../../src/model/spec.ts';
import { createProcessesWorld, PROGRAM, type ProcessesWorld } from '../../../support/processes-world.ts';
import { expectInstances, expectOne, MANAGER, shownFromNow } from '../../../support/shown-instances.ts';

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

function wish(spec: ProcessesRuntimeSpec): Promise<void> {
  return runtime.want({ service: MANAGER, spec, versions: [versionName('v1')] });
}

/** A stranger that answers every request on a port. */
async function listenAt(port: number): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined).resume();
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  strangers.push(server);
}

test('a port that another program listens on is not used', async () => {
  await listenAt(world.ports.from);
  await wish(world.spec([], { instances: 2 }));
  await expectInstances(runtime, (instances) =>
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
    runtime,
    'Failed',
    /no free port in \d+-\d+: 0 held by other instances, 1 by other programs; widen the range/,
  );
  await new Promise((resolve) => strangers.pop()?.close(resolve));
  await expectOne(runtime, 'Ready');
});

test('an answer from a stranger on its port does not make an instance ready: it moves to another port', async () => {
  const seen = shownFromNow(runtime);
  await wish(world.spec([], { command: ['sleep', '600', '${port}'] }));
  const { address } = await expectOne(runtime, 'Starting', /nothing listens there/);
  await listenAt(address.port);
  await expectInstances(runtime, ([instance]) => {
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
  await expectOne(runtime, 'Ready');
});
