// What may die or be cut off while an execution runs, over the real wire: each step is applied once all the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { identify } from '../../../src/adapters/processes/identity.ts';
import { eventually } from '../../support/eventually.ts';
import { Relay } from '../../support/system/relay.ts';
import { ExampleSite } from '../../support/workflow/example-site.ts';
import { Customer, type HistoryLine } from '../../support/workflow/manager-api.ts';
import { RawDelegate } from '../../support/workflow/raw-delegate.ts';

let site: ExampleSite;
beforeEach(async () => {
  site = await ExampleSite.open();
});
afterEach(() => site.close());

const ONE_TASK = 'pipeline: p\nsteps: [{ name: work, shell: "true" }]';

/** A task that waits until the test lets it go on, and leaves a line for each run. */
function waitingTask(): { pipeline: string; runs: () => string[]; release: () => Promise<void> } {
  const [log, gate] = [join(site.folder, 'runs'), join(site.folder, 'gate')];
  const command = `echo $$ >> ${log}; while [ ! -e ${gate} ]; do sleep 0.05; done`;
  return {
    pipeline: `pipeline: p\nsteps: [{ name: work, shell: '${command}' }]`,
    runs: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    release: () => writeFile(gate, ''),
  };
}

/** What a delegate keeps of its tasks on disk. */
function records(box: string): string[] {
  const folder = join(site.folder, `delegate-v1-${box}`, 'tasks');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

async function relayTo(port: number): Promise<Relay> {
  const relay = await Relay.to(port);
  site.defer(() => relay.close());
  return relay;
}

const of = (history: readonly HistoryLine[], kind: string) => history.filter((line) => line.kind === kind);

describe('when the manager that has the delegate is killed with -9', () => {
  test('before the lease is over, the delegate brings its task to another manager and goes on', async () => {
    const a = await site.manager({ instance: 'a', lease: 10_000 });
    const b = await site.managerProcess({ instance: 'b', lease: 10_000 });
    const relay = await relayTo(b.port);
    await site.connected({ port: relay.port, box: 'box-1' });
    const customer = new Customer(a.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    relay.redirect(a.port);
    b.child.signal('SIGKILL');
    await eventually(() => a.engine.host.dispatcher.connected === 1);
    await task.release();
    const { state, history } = await customer.ended(id);
    expect([state, task.runs().length]).toEqual(['Succeeded', 1]);
    expect(of(history, 'TaskLeased').map(({ worker }) => worker.manager)).toEqual([
      expect.stringMatching(/^b-/),
    ]);
    expect(of(history, 'TaskFinished').map(({ worker }) => worker.manager)).toEqual([
      expect.stringMatching(/^a-/),
    ]);
  });

  test('and the delegate does not come back in time, its task is leased anew, and its late result counts for nothing', async () => {
    const a = await site.manager({ instance: 'a', lease: 1_000 });
    const b = await site.managerProcess({ instance: 'b', lease: 1_000 });
    const late = new RawDelegate({ port: b.port, box: 'late' });
    late.hello({ delegate: 'late' });
    await late.answer('welcome');
    const customer = new Customer(a.port);
    const id = await customer.start(ONE_TASK);
    const old = await late.assigned();
    b.child.signal('SIGKILL');
    await eventually(() => late.end);
    await site.connected({ port: a.port, box: 'box-2' });
    const { state, history } = await customer.ended(id);
    expect(state).toBe('Succeeded');
    const leased = of(history, 'TaskLeased');
    expect(leased.map(({ delegate }) => delegate?.delegate)).toEqual(['late', 'box-2']);
    expect(leased[1]?.token).toBeGreaterThan(Number(leased[0]?.token));

    const back = new RawDelegate({ port: a.port, box: 'late' });
    back.hello({ delegate: 'late', running: [old] });
    expect((await back.answer('welcome')).stop).toMatchObject([old]);
    back.succeed(old, 'too late');
    await back.answer('acknowledge');
    expect(of((await customer.show(id)).history, 'TaskFinished')).toHaveLength(1);
    back.cut();
  });
});

describe('a task that is on its way to a delegate that takes none any more', () => {
  test('is given to another one at once, and no attempt is lost', async () => {
    const manager = await site.manager({ lease: 60_000 });
    const leaving = new RawDelegate({ port: manager.port, box: 'leaving' });
    leaving.hello({ delegate: 'leaving' });
    const customer = new Customer(manager.port);
    const id = await customer.start(ONE_TASK);
    await leaving.assigned();
    leaving.send({ case: 'heartbeat', value: { capacity: 0, running: [] } });
    await site.connected({ port: manager.port, box: 'box-2' });
    const { state, history } = await customer.ended(id);
    expect(state).toBe('Succeeded');
    expect(of(history, 'TaskLeased').map(({ delegate }) => delegate?.delegate)).toEqual(['leaving', 'box-2']);
    leaving.cut();
  });
});

describe('a result', () => {
  test('that is sent three times, on two streams, is taken once and acknowledged each time', async () => {
    const manager = await site.manager();
    const customer = new Customer(manager.port);
    const id = await customer.start(`${ONE_TASK}\noutput: { got: "\${steps.work.output}" }`);
    const first = new RawDelegate({ port: manager.port, box: 'box-1' });
    first.hello({ delegate: 'box-1' });
    const lease = await first.assigned();
    first.succeed(lease, 'done');
    first.succeed(lease, 'done');
    await first.answer('acknowledge', 2);
    first.cut();
    const second = new RawDelegate({ port: manager.port, box: 'box-1' });
    second.hello({ delegate: 'box-1', running: [lease] });
    second.succeed(lease, 'something else');
    await second.answer('acknowledge');
    second.cut();
    const { state, result, history } = await customer.ended(id);
    expect({ state, result }).toEqual({ state: 'Succeeded', result: { got: 'done' } });
    expect(of(history, 'TaskFinished')).toHaveLength(1);
  });

  test('that came while the network was cut is told when it is back, of a task that was leased once', async () => {
    const manager = await site.manager({ lease: 20_000 });
    const relay = await relayTo(manager.port);
    const delegate = await site.connected({ port: relay.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    relay.cut();
    await eventually(() => !delegate.health().connected);
    await task.release();
    // It keeps the result: the task is open until a manager has taken it.
    await eventually(() => records('box-1').some((record) => record.includes('"Done"')));
    expect(delegate.health()).toMatchObject({ connected: false, ready: false, openTasks: 1 });
    relay.heal();
    const { state, history } = await customer.ended(id);
    expect([state, task.runs().length]).toEqual(['Succeeded', 1]);
    expect(of(history, 'TaskLeased')).toHaveLength(1);
    await eventually(() => delegate.health().openTasks === 0);
  });
});

describe('when a delegate is killed with -9', () => {
  test('its running task is told of as interrupted by the next process, its processes are ended, and the task is tried again', async () => {
    const manager = await site.manager({ lease: 20_000 });
    const killed = await site.delegateProcess({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    killed.child.signal('SIGKILL');
    await killed.child.ended;
    const [pid] = task.runs();
    expect(identify(Number(pid))).toBeDefined();

    await site.delegateProcess({ port: manager.port, box: 'box-1' });
    await eventually(() => task.runs().length === 2);
    expect(identify(Number(pid))).toBeUndefined();
    await task.release();
    const { state, history } = await customer.ended(id);
    expect(state).toBe('Succeeded');
    expect(of(history, 'TaskRetried')).toMatchObject([
      { detail: expect.stringContaining('ended while the task ran') },
    ]);
    expect(of(history, 'TaskFinished')).toHaveLength(1);
  });

  test('after a task has ended and before a manager heard of it, the next process tells the same result', async () => {
    const manager = await site.manager({ lease: 20_000 });
    const relay = await relayTo(manager.port);
    const killed = await site.delegateProcess({ port: relay.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    relay.cut();
    await task.release();
    await eventually(() => records('box-1').some((record) => record.includes('"Done"')));
    killed.child.signal('SIGKILL');
    await killed.child.ended;
    relay.heal();
    await site.delegateProcess({ port: relay.port, box: 'box-1' });
    const { state, history } = await customer.ended(id);
    expect([state, task.runs().length]).toEqual(['Succeeded', 1]);
    expect(of(history, 'TaskLeased')).toHaveLength(1);
    await eventually(() => records('box-1').length === 0);
  });
});

describe('a manager that is told to stop', () => {
  test('sends its delegates to another one, where their tasks go on under the old leases', async () => {
    const a = await site.managerProcess({ instance: 'a', lease: 20_000 });
    const b = await site.manager({ instance: 'b', lease: 20_000 });
    const relay = await relayTo(a.port);
    const delegate = await site.connected({ port: relay.port, box: 'box-1' });
    const customer = new Customer(b.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    relay.redirect(b.port);
    a.child.signal('SIGTERM');
    expect(await a.child.ended).toBe('code 0');
    await eventually(() => b.engine.host.dispatcher.connected === 1);
    expect(delegate.health().openTasks).toBe(1);
    await task.release();
    const { state, history } = await customer.ended(id);
    expect([state, task.runs().length]).toEqual(['Succeeded', 1]);
    expect(of(history, 'TaskLeased')).toHaveLength(1);
  });
});

describe('a delegate that drains', () => {
  test('finishes its open task, takes no new one, and exits with 0', async () => {
    const manager = await site.manager();
    const draining = await site.delegateProcess({ port: manager.port, box: 'old', capacity: 4 });
    const customer = new Customer(manager.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    const drained = await fetch(`http://127.0.0.1:${draining.port}/drain`, { method: 'POST' });
    expect(await drained.json()).toMatchObject({ ready: false, connected: true, openTasks: 1 });
    const later = await customer.start(ONE_TASK);
    await site.connected({ port: manager.port, box: 'new' });
    const other = await customer.ended(later);
    expect(of(other.history, 'TaskLeased').map(({ delegate }) => delegate?.delegate)).toEqual(['new']);
    expect(draining.child.running).toBe(true);
    await task.release();
    expect(await draining.child.ended).toBe('code 0');
    expect(await customer.ended(id)).toMatchObject({ state: 'Succeeded' });
  });

  test('by SIGTERM does the same', async () => {
    const manager = await site.manager();
    const draining = await site.delegateProcess({ port: manager.port, box: 'old' });
    const customer = new Customer(manager.port);
    const task = waitingTask();
    const id = await customer.start(task.pipeline);
    await eventually(() => task.runs().length === 1);
    draining.child.signal('SIGTERM');
    await eventually(async () => {
      const health = await fetch(`http://127.0.0.1:${draining.port}/healthz`);
      return !((await health.json()) as { ready: boolean }).ready;
    });
    await task.release();
    expect(await draining.child.ended).toBe('code 0');
    expect(await customer.ended(id)).toMatchObject({ state: 'Succeeded' });
  });
});
