/**
 * What Switchyard asks managers, over gRPC, of managers that have the workflow library's handlers over one real store: the
 * open work of a version, its fence, and the delegates. Each manager has a client of the store of its own, as processes do.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createGrpcDelegateSource } from '../../../src/adapters/delegate-sources/grpc.ts';
import { openWorkflowSqlite } from '../../../src/adapters/workflow-sqlite/store.ts';
import { createWorkflowWorkSource } from '../../../src/adapters/workflow-work-source/work-source.ts';
import {
  DelegateDirectoryService,
  ListDelegatesRequestSchema,
  VersionWorkService,
} from '../../../src/gen/switchyard/work/v1/workflow_pb.js';
import type { Instance } from '../../../src/model/instance.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';
import type { ManagerId } from '../../../src/model/workflow.ts';
import type { WorkRequest } from '../../../src/ports/work-source.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { delegateDirectoryHandlers } from '../../../src/workflow/grpc/delegate-directory.ts';
import { versionWorkHandlers } from '../../../src/workflow/grpc/version-work.ts';
import { anInstance } from '../../support/records.ts';
import { aRegistration } from '../../support/registrations.ts';
import { UnaryServer } from '../../support/unary-server.ts';
import { newExecution, V1, V2 } from '../../support/workflow/builders.ts';

interface RealManager {
  readonly server: UnaryServer;
  readonly store: WorkflowStore;
  readonly instance: Instance;
}

let folder: string;
const managers: RealManager[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-sources-'));
});
afterEach(async () => {
  for (const { server, store } of managers.splice(0)) {
    await server.close();
    await store.close();
  }
  await rm(folder, { recursive: true });
});

async function startManager(version: string): Promise<RealManager> {
  const store = await openWorkflowSqlite({ file: join(folder, 'workflow.db') });
  const server = new UnaryServer();
  const work = versionWorkHandlers(store);
  server.add(VersionWorkService.method.fenceAndCount, (request) => work.fenceAndCount(request));
  server.add(VersionWorkService.method.liftVersion, (request) => work.liftVersion(request));
  server.add(VersionWorkService.method.countVersion, (request) => work.countVersion(request));
  const directory = delegateDirectoryHandlers(store);
  server.add(DelegateDirectoryService.method.listDelegates, (request) => directory.listDelegates(request));
  await server.listen();
  const address = { host: '127.0.0.1', port: server.port };
  const manager = { server, store, instance: anInstance(version, { id: `manager-${version}`, address }) };
  managers.push(manager);
  return manager;
}

function requestTo(instances: readonly Instance[], peers: readonly Instance[]): WorkRequest {
  return {
    source: { kind: 'workflow' },
    service: serviceName('manager'),
    version: V1,
    instances,
    peers,
    signal: AbortSignal.timeout(20_000),
  };
}

test('a fence by another version’s manager counts all that began, and nothing begins after it', async () => {
  const [dead, other] = [await startManager('v1'), await startManager('v2')];
  await dead.server.close();
  const source = createWorkflowWorkSource();
  const request = requestTo([dead.instance], [other.instance]);
  const [outcomes, fence] = await Promise.all([
    Promise.all(Array.from({ length: 200 }, () => dead.store.start(newExecution()))),
    source.fence(request),
  ]);
  const late = await dead.store.start(newExecution());
  expect(late.kind).toBe('Fenced');
  const begun = outcomes.filter(({ kind }) => kind === 'Started').length;
  expect(fence).toMatchObject({
    kind: 'confirmed',
    counted: { certificate: 'atomic', split: { executions: begun, events: { queued: begun } } },
  });
  expect(await source.count(request)).toMatchObject({ certificate: 'atomic', total: 2 * begun });
  expect(await source.lift(request)).toEqual({ kind: 'confirmed' });
  expect((await dead.store.start(newExecution())).kind).toBe('Started');
});

test('open executions are named, the oldest first', async () => {
  const manager = await startManager('v1');
  const first = await manager.store.start(newExecution());
  await manager.store.start(newExecution({ version: V2 }));
  if (first.kind !== 'Started') throw new Error('it was to begin');
  expect(await createWorkflowWorkSource().count(requestTo([manager.instance], []))).toMatchObject({
    certificate: 'observed',
    split: { executions: 1 },
    open: [{ kind: 'execution', id: first.execution.id, instance: 'manager-v1' }],
  });
});

test('the delegates of all managers are one list, from any of them, page by page', async () => {
  const [one, two] = [await startManager('v1'), await startManager('v2')];
  const heard = instant((await one.store.now()) - 1_000);
  const box = (name: string, version: string) =>
    aRegistration(name, { tenant: 'acme', version, lastSeen: heard });
  const old = [...Array(25).keys()].map((nth) => box(`box-${nth}`, 'v1'));
  const gone = aRegistration('gone', { tenant: 'acme', version: 'v1', lastSeen: heard - 10_000 });
  await one.store.saveDelegates('manager-1' as ManagerId, [...old, gone]);
  await two.store.saveDelegates('manager-2' as ManagerId, [box('box-0', 'v2')]);
  const answer = await createGrpcDelegateSource({ pageSize: 10 }).delegates({
    source: { kind: 'grpc' },
    service: serviceName('manager'),
    versions: [V1, V2],
    since: instant(heard - 5_000),
    instances: [two.instance],
    signal: AbortSignal.timeout(20_000),
  });
  if (answer.kind !== 'named') throw new Error(JSON.stringify(answer));
  const names = answer.delegates.map(({ delegate, version }) => `${version} ${delegate}`).toSorted();
  const all = [...old, box('box-0', 'v2')].map(({ delegate, version }) => `${version} ${delegate}`);
  expect(names).toEqual(all.toSorted());
});

test('the store is read once for all pages of one list', async () => {
  const { store } = await startManager('v1');
  const heard = await store.now();
  const boxes = [...Array(25).keys()].map((nth) =>
    aRegistration(`box-${nth}`, { tenant: 'acme', version: 'v1', lastSeen: heard }),
  );
  await store.saveDelegates('manager-1' as ManagerId, boxes);
  let reads = 0;
  const directory = delegateDirectoryHandlers({
    ...store,
    delegates(query) {
      reads += 1;
      return store.delegates(query);
    },
  });
  const names = new Set<string>();
  let pageToken = '';
  do {
    const asked = { since: timestampFromMs(heard - 5_000), versions: ['v1'], pageSize: 10, pageToken };
    const page = await directory.listDelegates(create(ListDelegatesRequestSchema, asked));
    for (const { delegate = '' } of page.delegates ?? []) names.add(delegate);
    pageToken = page.nextPageToken ?? '';
  } while (pageToken !== '');
  expect([names.size, reads]).toEqual([25, 1]);
});
