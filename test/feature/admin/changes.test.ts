/** Changes over a real Unix socket: what they answer when proxies follow, lag or reject, and when a client goes away. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AdminService } from '../../../src/admin/contract.ts';
import { methodDefinition } from '../../../src/admin/definition.ts';
import { ConvergenceState, StragglerKind } from '../../../src/gen/switchyard/admin/v1/changes_pb.js';
import {
  applyManager,
  change,
  managerDocument,
  PATIENCE,
  refusal,
  startTestController,
  type TestController,
  until,
} from '../../support/admin/controller.ts';

let controller: TestController;
beforeEach(async () => {
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller.close());

const wait = (milliseconds: number) => ({ ...change, waitTimeout: durationFromMs(milliseconds) });
const primary = () => controller.primary();

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
    await expect.poll(() => controller.proxies.published.length, PATIENCE).toBeGreaterThan(publications);
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
      void until(controller.operations, () => controller.proxies.published.length > publications).then(() =>
        call.cancel(),
      );
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

describe('apply', () => {
  test('in a dry run shows what differs and which streams would be cut', async () => {
    const { changes } = await controller.client.call('apply', {
      documents: [{ file: 'm.yaml', text: managerDocument('v2', 10_001) }],
      actor: 'ada',
      dryRun: true,
    });
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
});
