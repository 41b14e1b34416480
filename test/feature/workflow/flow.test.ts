// The flow of an execution over the real wire: queued, stepped by a manager, its task assigned to a delegate, and on.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExampleSite } from '../../support/workflow/example-site.ts';
import { Customer } from '../../support/workflow/manager-api.ts';

let site: ExampleSite;
beforeEach(async () => {
  site = await ExampleSite.open();
});
afterEach(() => site.close());

const GREET = `
pipeline: greet
input: { name: {} }
steps:
  - { name: say, shell: 'printf "hello %s" "$NAME"', env: { NAME: "\${input.name}" } }
  - { name: shout, shell: 'printf "%s!" "$TEXT"', env: { TEXT: "\${steps.say.output.stdout}" } }
`;

describe('an execution', () => {
  test('goes through a manager and a delegate for each step, and the result of a step feeds the next', async () => {
    const manager = await site.manager();
    await site.connected({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const id = await customer.start(GREET, { name: 'Ada' });
    const execution = await customer.ended(id);
    expect(execution).toMatchObject({
      state: 'Succeeded',
      version: 'v1',
      tenant: 'acme',
      result: { exitCode: 0, stdout: 'hello Ada!' },
    });
    const kinds = execution.history.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'TaskLeased')).toHaveLength(2);
    expect(kinds.filter((kind) => kind === 'TaskFinished')).toHaveLength(2);
    expect([kinds[0], kinds.at(-1)]).toEqual(['Started', 'Ended']);
    for (const { version, worker } of execution.history) {
      expect({ version, worker }).toEqual({
        version: 'v1',
        worker: { manager: manager.engine.worker.manager, version: 'v1' },
      });
    }
    const finished = execution.history.filter(({ kind }) => kind === 'TaskFinished');
    expect(finished.map(({ delegate }) => delegate)).toEqual([
      { delegate: 'box-1', version: 'v1' },
      { delegate: 'box-1', version: 'v1' },
    ]);
  });

  test('started at manager A reaches a delegate whose only stream is at manager B', async () => {
    const a = await site.manager({ instance: 'a' });
    const b = await site.manager({ instance: 'b' });
    await site.connected({ port: b.port, box: 'box-1' });
    const customer = new Customer(a.port);
    const ids = await Promise.all(Array.from({ length: 10 }, () => customer.start(GREET, { name: 'Ada' })));
    const executions = await Promise.all(ids.map((id) => customer.ended(id)));
    expect(executions.map(({ state }) => state)).toEqual(ids.map(() => 'Succeeded'));
    const lines = executions.flatMap(({ history }) => history);
    const of = (kind: string) =>
      new Set(lines.filter((line) => line.kind === kind).map(({ worker }) => worker.manager));
    expect(of('TaskLeased')).toEqual(new Set([b.engine.worker.manager]));
    expect(of('Stepped')).toContain(a.engine.worker.manager);
  });

  test('fails with the words of its delegate, and goes on when it is retried', async () => {
    const manager = await site.manager();
    await site.connected({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const flag = `${site.folder}/repaired`;
    const id = await customer.start(
      `pipeline: p\nsteps: [{ name: check, shell: 'test -e ${flag} || { echo "no flag" >&2; exit 3; }' }]`,
    );
    expect(await customer.ended(id)).toMatchObject({
      state: 'Failed',
      error: expect.stringContaining('the command exited with 3: no flag'),
    });
    await (await import('node:fs/promises')).writeFile(flag, '');
    expect(
      await customer.ask('POST', `/executions/${id}/retry`, { by: 'ada', reason: 'repaired' }),
    ).toMatchObject({
      status: 202,
    });
    expect(await customer.until(id, ({ state }) => state === 'Succeeded')).toMatchObject({
      state: 'Succeeded',
    });
  });

  test('waits for an approval that any manager takes, and ends when it is cancelled', async () => {
    const manager = await site.manager({ instance: 'a' });
    const other = await site.manager({ instance: 'b', version: 'v2' });
    const [customer, elsewhere] = [new Customer(manager.port), new Customer(other.port)];
    const pipeline =
      'pipeline: p\nsteps: [{ name: ask, approval: { message: "Go?" } }, { name: pause, wait: 10m }]';
    const id = await customer.start(pipeline);
    await customer.until(id, ({ history }) => history.some(({ kind }) => kind === 'Stepped'));
    // The other version may not work on it; its command carries the version of the execution.
    expect(
      await elsewhere.ask('POST', `/executions/${id}/approve`, { step: 'ask', by: 'ada' }),
    ).toMatchObject({
      status: 202,
    });
    await customer.until(id, ({ history }) =>
      history.some(({ detail }) => detail.includes('approved by ada')),
    );
    await elsewhere.ask('POST', `/executions/${id}/cancel`, { by: 'ada', reason: 'changed my mind' });
    const ended = await customer.ended(id);
    expect(ended).toMatchObject({ state: 'Cancelled', version: 'v1' });
    const stepped = ended.history.filter(({ kind }) => kind === 'Stepped' || kind === 'Ended');
    expect(new Set(stepped.map(({ worker }) => worker.version))).toEqual(new Set(['v1']));
    expect(new Set(ended.history.map(({ version }) => version))).toEqual(new Set(['v1']));
  });

  test('that is cancelled ends its task on the delegate with everything that the task has started', async () => {
    // At the next renewal it would take a quarter of the lease.
    const manager = await site.manager({ lease: 120_000 });
    const delegate = await site.connected({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const id = await customer.start(
      `pipeline: p\nsteps: [{ name: long, shell: 'echo "::progress 40 half way"; sleep 300 & sleep 300' }]`,
    );
    await customer.until(id, ({ openTasks }) => openTasks[0]?.percent === 40);
    expect((await customer.show(id)).openTasks).toMatchObject([
      { key: expect.stringContaining('long'), delegate: 'box-1', percent: 40, note: 'half way' },
    ]);
    const [task] = (await customer.show(id)).openTasks;
    expect((await customer.ask('GET', `/executions/${id}/tasks/${task?.id}`)).body).toMatchObject({
      percent: 40,
      log: '::progress 40 half way\n',
    });
    const foreign = new Customer(manager.port, 'umbrella');
    expect((await foreign.ask('GET', `/executions/${id}/tasks/${task?.id}`)).status).toBe(404);
    expect(delegate.health().openTasks).toBe(1);
    await customer.ask('POST', `/executions/${id}/cancel`, { by: 'ada' });
    await expect.poll(() => delegate.health().openTasks, { timeout: 10_000 }).toBe(0);
  });
});

describe('a task', () => {
  test('that takes too long is ended by its delegate, and fails', async () => {
    const manager = await site.manager();
    const delegate = await site.connected({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    const id = await customer.start(`pipeline: p\nsteps: [{ name: long, shell: 'sleep 300', timeout: 1s }]`);
    expect(await customer.ended(id)).toMatchObject({
      state: 'Failed',
      error: expect.stringContaining('had not ended after 1000 ms'),
    });
    await expect.poll(() => delegate.health().openTasks).toBe(0);
  });

  test('goes only to a delegate of its tenant that has its tags', async () => {
    const manager = await site.manager();
    await site.connected({ port: manager.port, box: 'plain' });
    await site.connected({ port: manager.port, box: 'tagged', tags: ['gpu', 'large'] });
    await site.connected({ port: manager.port, box: 'foreign', tenant: 'umbrella', tags: ['gpu'] });
    const customer = new Customer(manager.port);
    const ids = await Promise.all(
      Array.from({ length: 5 }, () =>
        customer.start(`pipeline: p\nsteps: [{ name: work, shell: 'true', tags: [gpu] }]`),
      ),
    );
    for (const { state, history } of await Promise.all(ids.map((id) => customer.ended(id)))) {
      expect(state).toBe('Succeeded');
      const leased = history.filter(({ kind }) => kind === 'TaskLeased');
      expect(leased.map(({ delegate }) => delegate?.delegate)).toEqual(['tagged']);
    }
  });

  test('of kind http is a call from where the delegate is', async () => {
    const manager = await site.manager();
    await site.connected({ port: manager.port, box: 'box-1' });
    const customer = new Customer(manager.port);
    // The manager itself is a server that both can reach.
    const url = `http://127.0.0.1:${manager.port}/`;
    const id = await customer.start(
      `pipeline: p\nsteps: [{ name: call, http: { url: '${url}', headers: { x-tenant-id: acme } } }]`,
    );
    expect(await customer.ended(id)).toMatchObject({
      state: 'Succeeded',
      result: { status: 200, body: { version: 'v1', tenant: 'acme' } },
    });
    const refused = await customer.start(
      `pipeline: p\nsteps: [{ name: call, http: { url: '${url}nothing' } }]`,
    );
    expect(await customer.ended(refused)).toMatchObject({
      state: 'Failed',
      error: expect.stringContaining('was answered with 404'),
    });
  });
});

describe('a tenant', () => {
  test('sees and steers its own executions only', async () => {
    const manager = await site.manager();
    const [acme, umbrella] = [new Customer(manager.port), new Customer(manager.port, 'umbrella')];
    const id = await acme.start('pipeline: p\nsteps: [{ name: ask, approval: {} }]');
    expect((await umbrella.ask('GET', '/executions')).body).toEqual({ executions: [] });
    for (const [method, path] of [
      ['GET', `/executions/${id}`],
      ['POST', `/executions/${id}/cancel`],
    ] as const) {
      expect(await umbrella.ask(method, path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    expect((await acme.ask('GET', '/executions?state=Running')).body).toMatchObject({ executions: [{ id }] });
  });
});

test('the pipelines of the example manager run by their names', async () => {
  const manager = await site.managerProcess();
  await site.connected({ port: manager.port, box: 'box-1' });
  const customer = new Customer(manager.port);
  const begin = async (body: object) => {
    const { status, body: begun } = await customer.ask('POST', '/executions', body);
    expect(status).toBe(201);
    return begun['id'] as string;
  };
  const deployed = await begin({ name: 'build-and-deploy', input: { revision: 'r7', region: 'south' } });
  const slept = await begin({ name: 'sleep', input: { seconds: 1 } });
  expect(await customer.ended(deployed)).toMatchObject({
    state: 'Succeeded',
    result: {
      deployed: 'registry.example.com/app:r7 runs in south',
      tests: expect.stringMatching(/42 tests$/),
    },
  });
  expect(await customer.ended(slept)).toMatchObject({ state: 'Succeeded' });
});
