/** Changes over a real Unix socket: what they answer when proxies follow, lag, reject, and when the change is refused. */

import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AdminService } from '../../../src/admin/contract.ts';
import { methodDefinition } from '../../../src/admin/definition.ts';
import type { AdminError } from '../../../src/admin/errors.ts';
import { ConvergenceState, StragglerKind } from '../../../src/gen/switchyard/admin/v1/changes_pb.js';
import { instant } from '../../../src/model/instant.ts';
import { OperationError } from '../../../src/operations/types.ts';
import {
  applyManager,
  managerDocument,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';

let controller: TestController;
beforeEach(async () => {
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller.close());

const change = { service: 'manager', actor: 'ada', reason: 'because' };
const wait = (milliseconds: number) => ({ ...change, waitTimeout: durationFromMs(milliseconds) });

function refusal(call: Promise<unknown>): Promise<AdminError> {
  return call.then(
    () => {
      throw new Error('the call was not refused');
    },
    (error: AdminError) => error,
  );
}

function primary(): string | undefined {
  const [service] = controller.operations.services();
  const traffic = service?.record.traffic;
  return traffic === undefined || traffic.kind === 'none' ? undefined : traffic.primary;
}

describe('an accepted change', () => {
  test('answers when every connected proxy has acknowledged it, and tells their names', async () => {
    controller.proxies.connect('gateway-1', 'prompt');
    controller.proxies.connect('gateway-2', 'prompt');
    const { result } = await controller.client.call('flip', { change, version: 'v2' });
    expect(result?.convergence?.state).toBe(ConvergenceState.EVERYWHERE);
    expect(result?.convergence?.acknowledged).toEqual(['gateway-1', 'gateway-2']);
    expect(result?.service?.traffic?.kind).toMatchObject({
      case: 'steady',
      value: { primary: 'v2', previous: 'v1' },
    });
  });

  test('waits for a slow proxy, and answers as soon as it has acknowledged', async () => {
    controller.proxies.connect('slow', 'slow');
    const publications = controller.proxies.published.length;
    const call = controller.client.call('flip', { change, version: 'v2' });
    await expect.poll(() => controller.proxies.published.length).toBeGreaterThan(publications);
    controller.proxies.acknowledge('slow');
    const { result } = await call;
    expect(result?.convergence).toMatchObject({ state: ConvergenceState.EVERYWHERE, acknowledged: ['slow'] });
  });

  test('is no error when its wait is over: it is committed, not yet everywhere, and names the stragglers', async () => {
    controller.proxies.connect('prompt', 'prompt');
    controller.proxies.connect('slow', 'slow');
    controller.proxies.connect('stubborn', 'slow');
    controller.proxies.reject('stubborn', 'unknown cluster');
    const { result } = await controller.client.call('flip', { change: wait(50), version: 'v2' });
    expect(result?.convergence?.state).toBe(ConvergenceState.NOT_YET_EVERYWHERE);
    expect(result?.convergence?.acknowledged).toEqual(['prompt']);
    expect(result?.convergence?.stragglers).toMatchObject([
      { proxy: 'slow', kind: StragglerKind.BEHIND },
      {
        proxy: 'stubborn',
        kind: StragglerKind.REJECTED,
        message: expect.stringContaining('unknown cluster'),
      },
    ]);
    expect(primary()).toBe('v2');
  });

  test('answers before the deadline of its own call, although its wait is longer', async () => {
    controller.proxies.connect('slow', 'slow');
    const deadline = new Date(Date.now() + 1500);
    const { result } = await controller.client.call(
      'flip',
      { change: wait(600_000), version: 'v2' },
      deadline,
    );
    expect(result?.convergence?.state).toBe(ConvergenceState.NOT_YET_EVERYWHERE);
  });

  test('does not wait at all with a wait of zero', async () => {
    controller.proxies.connect('slow', 'slow');
    const { result } = await controller.client.call('flip', { change: wait(0), version: 'v2' });
    expect(result?.convergence?.state).toBe(ConvergenceState.NOT_YET_EVERYWHERE);
  });

  test('is not undone by a client that goes away while it waits', async () => {
    controller.proxies.connect('slow', 'slow');
    const publications = controller.proxies.published.length;
    const { path, requestSerialize, responseDeserialize } = methodDefinition(AdminService.method.flip);
    const client = new Client(controller.server, credentials.createInsecure());
    const request = create(AdminService.method.flip.input, { change, version: 'v2' });
    const code = new Promise((resolve) => {
      const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) =>
        resolve(error?.code),
      );
      void expect
        .poll(() => controller.proxies.published.length)
        .toBeGreaterThan(publications)
        .then(() => call.cancel());
    });
    expect(await code).toBe(status.CANCELLED);
    expect(primary()).toBe('v2');
    client.close();
  });

  test('in a dry run changes and publishes nothing', async () => {
    const { length } = controller.proxies.published;
    const { result } = await controller.client.call('flip', {
      change: { ...change, dryRun: true },
      version: 'v2',
    });
    expect(result?.convergence?.state).toBe(ConvergenceState.NOTHING_PUBLISHED);
    expect(result?.message).not.toBe('');
    expect(primary()).toBe('v1');
    expect(controller.proxies.published).toHaveLength(length);
  });

  test('is in the audit trail with actor and reason', async () => {
    await controller.client.call('setWeight', { change: wait(0), version: 'v2', weight: 25 });
    const { events } = await controller.client.call('listEvents', { service: 'manager', limit: 1 });
    expect(events).toMatchObject([
      { actor: 'ada', reason: 'because', action: 'SetWeight', service: 'manager' },
    ]);
  });

  test('rolls back to the previous primary, and a second rollback is refused', async () => {
    await controller.client.call('flip', { change, version: 'v2' });
    await controller.client.call('rollback', { change });
    expect(primary()).toBe('v1');
    const refused = await refusal(controller.client.call('rollback', { change }));
    expect(refused.code).toBe(status.FAILED_PRECONDITION);
  });

  test('of a hold keeps the tenant until it is released', async () => {
    const duration = durationFromMs(3_600_000);
    await controller.client.call('hold', { change, tenant: 'acme', version: 'v2', duration });
    const { holds } = await controller.client.call('listHolds', { service: 'manager' });
    expect(holds).toMatchObject([
      { service: 'manager', tenant: 'acme', version: 'v2', by: 'ada', reason: 'because' },
    ]);
    await controller.client.call('release', { change, tenant: 'acme' });
    expect((await controller.client.call('listHolds', {})).holds).toEqual([]);
  });

  test('of a deletion answers with the service that is gone', async () => {
    const { result } = await controller.client.call('deleteService', { change });
    expect(result?.service?.name).toBe('manager');
    expect((await controller.client.call('listServices', {})).services).toEqual([]);
  });
});

describe('a refused change', () => {
  test('of the loser of a race is ABORTED with both generations', async () => {
    const stale = { ...change, expectedGeneration: 1n };
    const refused = await refusal(controller.client.call('flip', { change: stale, version: 'v2' }));
    const [service] = controller.operations.services();
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.detail?.generations).toMatchObject({
      expected: 1n,
      actual: BigInt(service?.record.generation ?? 0),
    });
  });

  test('for an unknown service is NOT_FOUND', async () => {
    const refused = await refusal(
      controller.client.call('flip', { change: { ...change, service: 'nobody' }, version: 'v2' }),
    );
    expect(refused.code).toBe(status.NOT_FOUND);
    expect(refused.message).toContain('manager');
  });

  test.each([
    ['change', { version: 'v2' }],
    ['change.actor', { change: { ...change, actor: '' }, version: 'v2' }],
    ['change.actor', { change: { ...change, actor: 'ada\nroot' }, version: 'v2' }],
    ['change.reason', { change: { ...change, reason: 'x'.repeat(3000) }, version: 'v2' }],
    ['change.service', { change: { ...change, service: 'Manager!' }, version: 'v2' }],
    ['change.wait_timeout', { change: wait(-1), version: 'v2' }],
    ['change.wait_timeout', { change: wait(100_000_000), version: 'v2' }],
    ['change.expected_generation', { change: { ...change, expectedGeneration: 2n ** 63n }, version: 'v2' }],
    ['version', { change, version: 'V 2' }],
  ])('with a wrong %s is INVALID_ARGUMENT and names the field', async (field, request) => {
    const refused = await refusal(controller.client.call('flip', request));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.message).toMatch(new RegExp(`^${field}: `));
    expect(primary()).toBe('v1');
  });

  test('of a hold without a duration names the field', async () => {
    const refused = await refusal(controller.client.call('hold', { change, tenant: 'acme', version: 'v2' }));
    expect(refused).toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(/^duration: /),
    });
  });

  test('of a version with open work is FAILED_PRECONDITION and lists that work', async () => {
    await controller.client.call('flip', { change, version: 'v2' });
    await controller.client.call('drain', { change, version: 'v1', giveUpRollback: true });
    const since = instant(Date.parse('2026-11-01T12:00:00Z'));
    controller.work = {
      kind: 'counted',
      asOf: since,
      total: 1,
      open: [{ kind: 'stream', id: 's-1', instance: 'v1-a', since }],
    };
    const refused = await refusal(controller.client.call('retire', { change, version: 'v1' }));
    expect(refused.code).toBe(status.FAILED_PRECONDITION);
    expect(refused.detail?.openWork).toMatchObject([{ kind: 'stream', id: 's-1', instance: 'v1-a' }]);
    const { work } = await controller.client.call('getOpenWork', { service: 'manager', version: 'v1' });
    expect(work?.kind).toMatchObject({ case: 'counted', value: { total: 1n } });
  });

  test('of a broken document lists every problem with its place, and nothing is applied', async () => {
    const text = managerDocument('v2').replace('port: 10000', 'port: 99999').replace('name: v1', 'name: V1');
    const refused = await refusal(
      controller.client.call('apply', { documents: [{ file: 'm.yaml', text }], actor: 'ada' }),
    );
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.detail?.problems).toMatchObject([
      { file: 'm.yaml', line: 10, field: 'spec.listeners[0].port' },
      { file: 'm.yaml', field: 'spec.runtime.endpoints.versions[0].name' },
    ]);
  });
});

describe('apply', () => {
  const apply = (text: string, dryRun: boolean) =>
    controller.client.call('apply', {
      documents: [{ file: 'm.yaml', text }],
      actor: 'ada',
      reason: 'test',
      dryRun,
    });

  test('in a dry run shows what differs and which streams would be cut', async () => {
    const { changes } = await apply(managerDocument('v2', 10_001), true);
    expect(changes).toMatchObject([
      {
        service: 'manager',
        differences: [{ field: 'spec.listeners[gateway].port', before: '10000', after: '10001' }],
        effects: [expect.stringMatching(/^cuts streams: listener gateway moves/)],
      },
    ]);
    const { service } = await controller.client.call('getService', { name: 'manager' });
    expect(service?.listeners).toMatchObject([{ port: 10_000 }]);
  });

  test('refuses a service that was changed since its generation was read', async () => {
    const refused = await refusal(
      controller.client.call('apply', {
        documents: [{ file: 'm.yaml', text: managerDocument('v1') }],
        actor: 'ada',
        expectedGenerations: { manager: 1n },
      }),
    );
    expect(refused.code).toBe(status.ABORTED);
    expect(refused.detail?.generations?.expected).toBe(1n);
  });
});

describe('a fault of the controller', () => {
  test('is INTERNAL to the client and is reported', async () => {
    await controller.close();
    controller = await startTestController({
      replace: () => ({ proxies: () => expect.fail('the disk is on fire') }),
    });
    const refused = await refusal(controller.client.call('listProxies', {}));
    expect(refused.code).toBe(status.INTERNAL);
    expect(controller.faults).toHaveLength(1);
  });

  test('after the commit does not turn the answer into an error', async () => {
    await controller.close();
    controller = await startTestController({
      replace: () => ({ converge: () => Promise.reject(new Error('lost count')) }),
    });
    await applyManager(controller);
    const { result } = await controller.client.call('flip', { change, version: 'v2' });
    expect(result?.convergence?.state).toBe(ConvergenceState.NOT_YET_EVERYWHERE);
    expect(String(controller.faults.at(-1))).toContain('lost count');
  });

  test('a refusal that only the controller can explain keeps its code', async () => {
    await controller.close();
    controller = await startTestController({
      replace: () => ({ flip: () => Promise.reject(new OperationError('Unavailable', 'the store is full')) }),
    });
    const refused = await refusal(controller.client.call('flip', { change, version: 'v2' }));
    expect(refused).toMatchObject({ code: status.UNAVAILABLE, message: 'the store is full' });
    expect(refused.detail).toBeDefined();
  });
});
