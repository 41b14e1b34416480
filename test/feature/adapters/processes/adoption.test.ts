/** Instances outlive their controller, and the next one takes up exactly these and nobody else's process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { identify, type ProcessIdentity } from '../../../../src/adapters/processes/identity.ts';
import { bootId, statOf } from '../../../../src/adapters/processes/proc.ts';
import { type InstanceRecord, parseRecord, printRecord } from '../../../../src/adapters/processes/record.ts';
import { ProcessesRuntime } from '../../../../src/adapters/processes/runtime.ts';
import type { Instance } from '../../../../src/model/instance.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import { createProcessesWorld, kill, type ProcessesWorld } from '../../../support/processes-world.ts';
import { startRuntimeHost } from '../../../support/runtime-host.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
/** Of its own for each run: processes are found by it on the whole machine, where another run may be under way. */
const ID = `manager-v1-1-${randomBytes(4).toString('hex')}`;

let world: ProcessesWorld;
let runtime: ProcessesRuntime | undefined;
let children: ChildProcess[];

beforeEach(async () => {
  world = await createProcessesWorld();
  runtime = undefined;
  children = [];
});
afterEach(async () => {
  await runtime?.close();
  await world.dispose();
  for (const child of children) child.kill('SIGKILL');
});

async function open(): Promise<ProcessesRuntime> {
  runtime = await world.open();
  return runtime;
}

function wish(spec = world.spec()): Promise<void> {
  return (runtime as ProcessesRuntime).want({ service: MANAGER, spec, versions: [V1] });
}

async function expectOne(expected: Partial<Instance>): Promise<Instance> {
  await vi.waitFor(() => expect(runtime?.instances(MANAGER)).toEqual([expect.objectContaining(expected)]), {
    timeout: 15_000,
    interval: 10,
  });
  return runtime?.instances(MANAGER)[0] as Instance;
}

/** The state that a controller which died at some point has left on disk. */
async function leaveRecord(changes: Partial<InstanceRecord>): Promise<void> {
  await mkdir(join(world.stateFolder, 'instances'), { recursive: true });
  const record: InstanceRecord = {
    id: ID,
    service: MANAGER,
    version: V1,
    slot: 1,
    port: world.ports.from,
    spec: world.spec(),
    restarts: 0,
    failures: 0,
    process: { kind: 'None' },
    wasReady: false,
    ...changes,
  };
  await writeFile(join(world.stateFolder, 'instances', `${ID}.json`), printRecord(record));
}

const running = (identity: ProcessIdentity): InstanceRecord['process'] => ({
  kind: 'Running',
  identity,
  startedAt: instant(1),
});

/** Starts the process of an instance as a controller does, without noting it. */
function startUnnoted(id: string, flags: readonly string[] = [], port = world.ports.from): number {
  const [program = '', ...parts] = world
    .spec(flags)
    .command.map((part) => part.replace('${port}', String(port)).replace('${instance}', id));
  const environment = { ...process.env, WORLD: world.folder, SWITCHYARD_INSTANCE: id };
  const child = spawn(program, parts, { detached: true, stdio: 'ignore', env: environment });
  children.push(child);
  return child.pid ?? 0;
}

/** A process that has nothing to do with Switchyard. */
function startStranger(): number {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
  children.push(child);
  return child.pid ?? 0;
}

const identityOf = (pid: number): ProcessIdentity => identify(pid) as ProcessIdentity;
const processesOf = (id: string): readonly number[] => world.alive().get(id) ?? [];

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'instances outlive a controller that gets %s, and the next one has the same',
  async (signal) => {
    const spec = world.spec(['--child'], { instances: 2 });
    const host = startRuntimeHost({
      stateFolder: world.stateFolder,
      wishes: [{ service: 'manager', spec, versions: ['v1'] }],
    });
    await host.until(
      (instances) => instances.length === 2 && instances.every(({ state }) => state === 'Ready'),
    );
    const before = host.instances();
    const processes = world.alive();
    // In a session of its own it gets no signal that is meant for the controller's terminal or group.
    for (const { pid } of await world.diary()) expect(statOf(pid)?.session).toBe(pid);
    await host.end(signal);
    expect(world.alive()).toEqual(processes);
    const next = await open();
    await next.settled(MANAGER);
    const taken = next.instances(MANAGER);
    expect(taken.map(({ id, address, state }) => ({ id, address, state }))).toEqual(
      before.map(({ id, address }) => ({ id, address, state: 'Ready' })),
    );
    await wish(spec);
    expect(world.alive()).toEqual(processes);
    expect(next.instances(MANAGER).every(({ restarts }) => restarts === 0)).toBe(true);
  },
);

test('an instance goes on writing its log while no controller runs', async () => {
  const spec = world.spec([], {
    command: ['sh', '-c', 'while :; do echo alive; sleep 0.02; done'],
    readiness: { ...world.spec().readiness, kind: 'tcp' },
  });
  const host = startRuntimeHost({
    stateFolder: world.stateFolder,
    wishes: [{ service: 'manager', spec, versions: ['v1'] }],
  });
  await host.until(
    (instances) => instances[0]?.state === 'Starting' && instances[0].reason.startsWith('not ready'),
  );
  const id = host.instances()[0]?.id ?? '';
  await host.end('SIGKILL');
  const log = join(world.stateFolder, 'logs', `${id}.log`);
  const { length } = await readFile(log, 'utf8');
  await vi.waitFor(async () => expect((await readFile(log, 'utf8')).length).toBeGreaterThan(length), {
    timeout: 10_000,
  });
});

test('died after the spawn and before it was noted: the process is found by its environment', async () => {
  const pid = startUnnoted(ID);
  await leaveRecord({ process: { kind: 'Intended' } });
  await open();
  await wish();
  await expectOne({ id: ID, state: 'Ready', restarts: 0 });
  expect(processesOf(ID)).toEqual([pid]);
  const record = parseRecord(await readFile(join(world.stateFolder, 'instances', `${ID}.json`), 'utf8'));
  expect(record.process).toMatchObject({ kind: 'Running', identity: { pid } });
});

test('died after the intent and before the spawn: it is started once', async () => {
  await leaveRecord({ process: { kind: 'Intended' } });
  await open();
  await wish();
  await expectOne({ id: ID, state: 'Ready', restarts: 0 });
  expect(processesOf(ID)).toHaveLength(1);
});

test('died before the intent: it is started once, also before anybody wishes', async () => {
  await leaveRecord({ port: 0 });
  await open();
  await expectOne({ id: ID, state: 'Ready' });
  await wish();
  expect(processesOf(ID)).toHaveLength(1);
});

test('two processes of one instance cannot be told apart: both end, and one is started', async () => {
  const pids = [startUnnoted(ID), startUnnoted(ID, [], world.ports.to)];
  await leaveRecord({ process: { kind: 'Intended' } });
  await open();
  await expectOne({ id: ID, state: 'Ready' });
  expect(processesOf(ID)).toHaveLength(1);
  expect(pids).not.toContain(processesOf(ID)[0]);
});

test('a process that ended while no controller looked on is started again, and that is counted', async () => {
  const pid = startUnnoted(ID);
  const identity = identityOf(pid);
  kill(pid, 'SIGKILL');
  await vi.waitFor(() => expect(identify(pid)).toBeUndefined());
  await leaveRecord({ process: running(identity), wasReady: true });
  await open();
  expect(runtime?.instances(MANAGER)[0]?.state).not.toBe('Ready');
  await expectOne({ id: ID, state: 'Ready', restarts: 1 });
});

test('a stranger that got the process id of an instance is neither taken up nor signalled', async () => {
  const stranger = startStranger();
  const identity = identityOf(stranger);
  await leaveRecord({ process: running({ ...identity, startTime: identity.startTime - 1 }), wasReady: true });
  await open();
  await expectOne({ id: ID, state: 'Ready' });
  expect(processesOf(ID)).not.toContain(stranger);
  await runtime?.forget(MANAGER);
  await vi.waitFor(() => expect(runtime?.services()).toEqual([]), { timeout: 15_000 });
  expect(identify(stranger)).toEqual(identity);
});

test('a process id of another boot means nothing, and nobody is blamed for the end', async () => {
  const stranger = startStranger();
  await leaveRecord({
    process: running({ ...identityOf(stranger), bootId: 'another boot' }),
    wasReady: true,
  });
  await open();
  await expectOne({ id: ID, state: 'Ready', restarts: 0 });
  expect(processesOf(ID)).not.toContain(stranger);
  expect(identify(stranger)?.bootId).toBe(bootId());
});

test('a zombie is dead', async () => {
  // `sleep` takes the place of the shell and never collects its child.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(parent);
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (data) => resolve(Number(data))),
  );
  await vi.waitFor(() => expect(statOf(pid)?.state).toBe('Z'), { timeout: 10_000 });
  const identity = { pid, startTime: statOf(pid)?.startTime ?? 0, bootId: bootId() };
  await leaveRecord({ process: running(identity), wasReady: true });
  await open();
  await expectOne({ id: ID, state: 'Ready', restarts: 1 });
});

test('a process that was taken up is seen to end, and is started again', async () => {
  const pid = startUnnoted(ID);
  await leaveRecord({ process: running(identityOf(pid)), wasReady: true });
  await open();
  await expectOne({ state: 'Ready' });
  const reasons = new Set<string>();
  runtime?.subscribe((service) => reasons.add(runtime?.instances(service)[0]?.reason ?? ''));
  kill(pid, 'SIGKILL');
  await expectOne({ id: ID, state: 'Ready', restarts: 1 });
  expect([...reasons].join('\n')).toMatch(
    /ended; its exit code went to nobody, since another controller had started it/,
  );
});

test('an instance that was ready stays ready over a restart until as many probes failed as otherwise', async () => {
  const unready = join(world.folder, 'unready');
  await writeFile(unready, '');
  const pid = startUnnoted(ID, ['--unready-file', unready]);
  await leaveRecord({ process: running(identityOf(pid)), wasReady: true });
  const states: (string | undefined)[] = [];
  await open();
  states.push(runtime?.instances(MANAGER)[0]?.state);
  runtime?.subscribe((service) => states.push(runtime?.instances(service)[0]?.state));
  await expectOne({ state: 'Unready', reason: expect.stringMatching(/^2 probes in a row failed/) });
  expect(new Set(states)).toEqual(new Set(['Ready', 'Unready']));
});

test('a stop that was recorded goes on after a restart, without a wish, until nothing is kept; nobody waits for its end', async () => {
  const pid = startUnnoted(ID, ['--ignore-term']);
  await vi.waitFor(async () => expect(await world.diary()).toHaveLength(1), { timeout: 15_000 });
  const spec = world.spec([], { stopGrace: 3_000 });
  await leaveRecord({ spec, process: running(identityOf(pid)), stopSince: instant(Date.now()) });
  const next = await open();
  await next.settled(MANAGER);
  expect(next.instances(MANAGER)).toEqual([expect.objectContaining({ id: ID, state: 'Stopping' })]);
  await vi.waitFor(() => expect(next.services()).toEqual([]), { timeout: 15_000 });
  expect(identify(pid)).toBeUndefined();
});

test('a version that is wished again while its old instance still stops gets a new one', async () => {
  const pid = startUnnoted(ID, ['--ignore-term']);
  await leaveRecord({ process: running(identityOf(pid)), stopSince: instant(1) });
  await open();
  await wish(world.spec([], { stopGrace: 1000 }));
  const { id, address } = await expectOne({ state: 'Ready' });
  expect(id).not.toBe(ID);
  expect(address.port).not.toBe(world.ports.from);
  expect(identify(pid)).toBeUndefined();
});

test('services whose instances a controller left are named, so that the next one can forget those it does not know', async () => {
  const pid = startUnnoted(ID);
  await leaveRecord({ process: running(identityOf(pid)) });
  await open();
  expect(runtime?.services()).toEqual([MANAGER]);
  await runtime?.forget(MANAGER);
  await vi.waitFor(() => expect(runtime?.services()).toEqual([]), { timeout: 15_000 });
  expect(identify(pid)).toBeUndefined();
});
