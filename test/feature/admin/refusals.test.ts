/** Changes that are refused: the code, the message that names the field, and the facts beside it. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConvergenceState } from '../../../src/gen/switchyard/admin/v1/changes_pb.js';
import { instant } from '../../../src/model/instant.ts';
import { OperationError } from '../../../src/operations/types.ts';
import {
  applyManager,
  change,
  managerDocument,
  refusal,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';

let controller: TestController;
beforeEach(async () => {
  controller = await startTestController();
  await applyManager(controller);
});
afterEach(() => controller.close());

const wait = (milliseconds: number) => ({ ...change, waitTimeout: durationFromMs(milliseconds) });

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

  test.each([
    ['actor', { actor: '' }],
    ['timeout', { actor: 'ada', timeout: durationFromMs(-1) }],
    ['timeout', { actor: 'ada', timeout: durationFromMs(100_000_000) }],
  ])('down with a wrong %s is INVALID_ARGUMENT, and nothing is stopped', async (field, request) => {
    const refused = await refusal(controller.client.call('down', request));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.message).toMatch(new RegExp(`^${field}: `));
    expect(controller.operations.isStopping()).toBe(false);
    expect(controller.downs).toBe(0);
  });

  test('explain with a source address that is none is INVALID_ARGUMENT', async () => {
    const refused = await refusal(controller.client.call('explain', { host: 'x', sourceAddress: 'zzz' }));
    expect(refused.code).toBe(status.INVALID_ARGUMENT);
    expect(refused.message).toMatch(/^source_address: "zzz" must be an IP address/);
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
    expect(controller.primary()).toBe('v1');
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
      certificate: 'observed',
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

  test('of a document whose service was changed since its generation was read is ABORTED', async () => {
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
