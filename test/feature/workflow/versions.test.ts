// Who may work on what, over the real wire: by version, by declaration, and behind a fence.
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  DelegateDirectoryService,
  type VersionWork,
  VersionWorkService,
} from '../../../src/gen/switchyard/work/v1/workflow_pb.js';
import { eventually } from '../../support/eventually.ts';
import { ExampleSite } from '../../support/workflow/example-site.ts';
import { Customer } from '../../support/workflow/manager-api.ts';
import { RawDelegate } from '../../support/workflow/raw-delegate.ts';

let site: ExampleSite;
beforeEach(async () => {
  site = await ExampleSite.open();
});
afterEach(() => site.close());

const ONE_TASK = 'pipeline: p\nsteps: [{ name: work, shell: "true" }]';
const WAITS = 'pipeline: p\nsteps: [{ name: ask, approval: {} }]';

type WorkMethod = keyof typeof VersionWorkService.method;

/** Calls a method of a work service as the controller does. */
function call<Response>(
  port: number,
  method:
    | (typeof VersionWorkService.method)[WorkMethod]
    | typeof DelegateDirectoryService.method.listDelegates,
  request: MessageInitShape<typeof method.input>,
): Promise<Response> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  return new Promise<Response>((resolve, reject) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: object) => Buffer.from(toBinary(method.input, message as never)),
      (bytes: Buffer) => fromBinary(method.output, bytes) as Response,
      create(method.input, request as never),
      new Metadata(),
      { deadline: Date.now() + 10_000 },
      (error, response) => (error === null ? resolve(response as Response) : reject(error)),
    );
  }).finally(() => client.close());
}

async function fenceAndCount(port: number, version: string): Promise<VersionWork | undefined> {
  const { work } = await call<{ work?: VersionWork }>(port, VersionWorkService.method.fenceAndCount, {
    version,
  });
  return work;
}

describe('a version', () => {
  test('works on its own executions only, and its delegates too', async () => {
    const [one, two] = [await site.manager({ version: 'v1' }), await site.manager({ version: 'v2' })];
    await site.connected({ port: one.port, box: 'box-1', version: 'v1' });
    const [onOne, onTwo] = [new Customer(one.port), new Customer(two.port)];
    const [first, second] = [await onOne.start(ONE_TASK), await onTwo.start(ONE_TASK)];
    expect(await onOne.ended(first)).toMatchObject({ state: 'Succeeded', version: 'v1' });
    // Its task is there, and the only delegate is of another version.
    await onTwo.until(second, ({ openTasks }) => openTasks.length === 1);
    expect((await onTwo.show(second)).openTasks[0]).not.toHaveProperty('delegate');
    await site.connected({ port: two.port, box: 'box-1', version: 'v2' });
    const { history } = await onTwo.ended(second);
    expect(new Set(history.map(({ worker }) => worker.version))).toEqual(new Set(['v2']));
    expect(new Set(history.flatMap(({ delegate }) => delegate?.version ?? []))).toEqual(new Set(['v2']));
  });

  test('refuses a delegate of another one', async () => {
    const manager = await site.manager({ version: 'v1' });
    const delegate = new RawDelegate({ port: manager.port, box: 'box-1', version: 'v2' });
    delegate.hello({ delegate: 'box-1', version: 'v2' });
    expect(await eventually(() => delegate.end)).toMatchObject({
      kind: 'Lost',
      reason: expect.stringContaining('this is a manager of v1'),
    });
  });

  test('leaves the work of one that is gone alone, until it is declared to continue it', async () => {
    const one = await site.manager({ version: 'v1' });
    const id = await new Customer(one.port).start(
      'pipeline: p\nsteps: [{ name: pause, wait: 200ms }, { name: work, shell: "true" }]',
    );
    await one.stop();
    const two = await site.manager({ version: 'v2' });
    await site.connected({ port: two.port, box: 'box-2', version: 'v2' });
    const onTwo = new Customer(two.port);
    await onTwo.ended(await onTwo.start(ONE_TASK));
    expect(await onTwo.show(id)).toMatchObject({ state: 'Running', version: 'v1' });
    const three = await site.manager({ version: 'v3', continues: ['v1'] });
    await site.connected({ port: three.port, box: 'box-3', version: 'v3' });
    const { state, version, history } = await onTwo.ended(id);
    expect({ state, version }).toEqual({ state: 'Succeeded', version: 'v1' });
    expect(new Set(history.map((line) => line.version))).toEqual(new Set(['v1']));
    expect(new Set(history.flatMap(({ delegate }) => delegate ?? []).map((each) => each.delegate))).toEqual(
      new Set(['box-3']),
    );
    const workers = new Set(history.map(({ worker }) => worker.version));
    expect([workers.has('v3'), workers.has('v2')]).toEqual([true, false]);
  });
});

describe('a version that is fenced', () => {
  test('takes no new execution, says that another try may help, and ends what it has; any manager fences and lifts', async () => {
    const [one, two] = [await site.manager({ version: 'v1' }), await site.manager({ version: 'v2' })];
    const customer = new Customer(one.port);
    const open = await customer.start(WAITS);
    await customer.until(open, ({ history }) => history.some(({ kind }) => kind === 'Stepped'));
    // By a manager of another version, as for one whose own are dead.
    expect(await fenceAndCount(two.port, 'v1')).toMatchObject({
      version: 'v1',
      executions: 1n,
      fencedSince: expect.anything(),
      open: [{ kind: 'execution', id: open }],
    });
    const refused = await customer.ask('POST', '/executions', { pipeline: ONE_TASK });
    expect(refused).toMatchObject({ status: 503, retryAfter: '1', body: { code: 'VERSION_FENCED' } });
    await customer.ask('POST', `/executions/${open}/approve`, { step: 'ask', by: 'ada' });
    expect(await customer.ended(open)).toMatchObject({ state: 'Succeeded' });
    expect(await fenceAndCount(two.port, 'v1')).toMatchObject({
      executions: 0n,
      eventsQueued: 0n,
      tasksLeased: 0n,
    });
    await call(two.port, VersionWorkService.method.liftVersion, { version: 'v1' });
    await eventually(() => customer.start(WAITS));
  });

  test('is asked for by a name, or the caller is told what is wrong', async () => {
    const { port } = await site.manager();
    await expect(fenceAndCount(port, 'No Version')).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('version name "No Version"'),
    } satisfies Partial<Record<keyof ServiceError, unknown>>);
  });
});

describe('the directory of delegates', () => {
  test('names those of all managers page by page, and remembers one that has gone as last seen', async () => {
    const [one, two] = [await site.manager({ version: 'v1' }), await site.manager({ version: 'v2' })];
    const gone = await site.connected({
      port: one.port,
      box: 'box-1',
      version: 'v1',
      tags: ['gpu'],
      capacity: 2,
    });
    await site.connected({ port: two.port, box: 'box-1', version: 'v2' });
    await site.connected({ port: two.port, box: 'box-2', version: 'v2', tenant: 'umbrella' });
    type Page = { delegates: { delegate: string; version: string; tenant: string }[]; nextPageToken: string };
    const page = (pageToken: string) =>
      call<Page>(two.port, DelegateDirectoryService.method.listDelegates, {
        since: timestampFromMs(Date.now() - 60_000),
        versions: [],
        pageSize: 2,
        pageToken,
      });
    const all = async () => {
      const first = await page('');
      const second = first.nextPageToken === '' ? undefined : await page(first.nextPageToken);
      return [...first.delegates, ...(second?.delegates ?? [])];
    };
    const names = await eventually(
      async () => {
        const found = (await all()).map(({ delegate, version, tenant }) => [delegate, version, tenant]);
        return found.length === 3 ? found : undefined;
      },
      { what: 'three delegates' },
    );
    expect(names).toEqual([
      ['box-1', 'v1', 'acme'],
      ['box-1', 'v2', 'acme'],
      ['box-2', 'v2', 'umbrella'],
    ]);
    await gone.abandon();
    await eventually(() => one.engine.host.dispatcher.connected === 0);
    await one.stop();
    const [first] = await all();
    expect(first).toMatchObject({ delegate: 'box-1', version: 'v1', tags: ['gpu'], capacity: 2 });
  });
});

describe('metrics', () => {
  test('count executions, events, tasks and delegates by version, and name no tenant', async () => {
    const manager = await site.manager();
    await site.connected({ port: manager.port, box: 'box-1', tenant: 'secret-tenant' });
    const customer = new Customer(manager.port, 'secret-tenant');
    await customer.ended(await customer.start(ONE_TASK));
    await customer.start(WAITS);
    const text = await eventually(async () => {
      const body = await (await fetch(`http://127.0.0.1:${manager.port}/metrics`)).text();
      return body.includes('manager_open_work{version="v1",kind="execution",state="running"} 1')
        ? body
        : undefined;
    });
    for (const line of [
      'manager_executions_started_total{version="v1"} 2',
      'manager_executions_ended_total{version="v1",state="Succeeded"} 1',
      'manager_tasks_total{version="v1",outcome="assigned"} 1',
      'manager_tasks_total{version="v1",outcome="finished"} 1',
      'manager_delegates{version="v1"} 1',
      'manager_fenced{version="v1"} 0',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/manager_events_total\{version="v1",outcome="applied"\} [2-9]/);
    expect(text).not.toContain('secret-tenant');
  });
});
