/** The work source contract over gRPC, and what an instance may not say. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createGrpcWorkSource } from '../../src/adapters/grpc-work-source/work-source.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { WorkRequest } from '../../src/ports/work-source.ts';
import { anInstance } from '../support/records.ts';
import { WorkingInstance } from '../support/working-instance.ts';
import { workSourceContract } from './work-source.ts';

const AS_OF = 1_700_000_000_000;

function requestTo(...ports: readonly number[]): WorkRequest {
  return {
    source: { kind: 'grpc' },
    service: serviceName('manager'),
    version: versionName('v1'),
    peers: [],
    instances: ports.map((port, index) =>
      anInstance('v1', { id: `manager-${index + 1}`, address: { host: '127.0.0.1', port } }),
    ),
    signal: AbortSignal.timeout(20_000),
  };
}

workSourceContract('the work source over gRPC', async () => {
  const instance = await WorkingInstance.start('v1');
  const { signal: _, ...request } = requestTo(instance.port);
  return {
    source: createGrpcWorkSource(),
    request,
    open: (ids) => {
      instance.open = ids;
    },
    answering: (does) => {
      instance.isAnswering = does;
    },
    fenced: () => instance.isFenced,
    close: () => instance.close(),
  };
});

describe('the work source over gRPC', () => {
  async function working(): Promise<WorkingInstance> {
    const instance = await WorkingInstance.start('v1');
    onTestFinished(() => instance.close());
    return instance;
  }

  test('adds up all instances, as of the oldest answer', async () => {
    const [one, two] = [await working(), await working()];
    one.counts = {
      version: 'v1',
      total: 3n,
      asOf: timestampFromMs(AS_OF),
      open: [{ kind: 'task', id: 'a' }],
    };
    two.counts = {
      version: 'v1',
      total: 2n,
      asOf: timestampFromMs(AS_OF - 500),
      open: [{ kind: 'task', id: 'b', since: timestampFromMs(AS_OF - 9_000) }],
    };
    expect(await createGrpcWorkSource().count(requestTo(one.port, two.port))).toEqual({
      kind: 'counted',
      asOf: instant(AS_OF - 500),
      total: 5,
      certificate: 'observed',
      open: [
        { kind: 'task', id: 'a', instance: 'manager-1' },
        { kind: 'task', id: 'b', instance: 'manager-2', since: instant(AS_OF - 9_000) },
      ],
    });
  });

  test('one instance that does not answer makes the count unknown and the fence unconfirmed, by name', async () => {
    const [one, gone] = [await working(), await WorkingInstance.start('v1')];
    const { port } = gone;
    await gone.close();
    const source = createGrpcWorkSource();
    expect(await source.count(requestTo(one.port, port))).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(/^manager-2 at 127\.0\.0\.1:\d+: Count answered UNAVAILABLE/),
    });
    expect(await source.fence(requestTo(one.port, port))).toEqual({
      kind: 'unconfirmed',
      reasons: [expect.stringMatching(/^manager-2 .*Fence answered UNAVAILABLE/)],
    });
    expect(one.isFenced).toBe(true);
  });

  test('nobody to ask is unknown, and a fence that nobody holds is not confirmed', async () => {
    const source = createGrpcWorkSource();
    expect((await source.count(requestTo())).kind).toBe('unknown');
    expect((await source.fence(requestTo())).kind).toBe('unconfirmed');
  });

  test.each([
    [
      'another version',
      { version: 'v2', total: 0n, asOf: timestampFromMs(AS_OF) },
      /answered by version v2, not v1/,
    ],
    ['no version', { total: 0n, asOf: timestampFromMs(AS_OF) }, /answered by no version, not v1/],
    ['no time', { version: 'v1', total: 0n }, /as_of is absent/],
    [
      'less in all than it lists',
      { version: 'v1', total: 0n, asOf: timestampFromMs(AS_OF), open: [{ kind: 'task', id: 'a' }] },
      /total is 0, but 1 are listed/,
    ],
    ['too much', { version: 'v1', total: 2n ** 60n, asOf: timestampFromMs(AS_OF) }, /cannot be right/],
  ])('an answer with %s is unknown, never zero', async (_, counts, reason) => {
    const instance = await working();
    instance.counts = counts;
    expect(await createGrpcWorkSource().count(requestTo(instance.port))).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(reason),
    });
  });

  test('an answer that is too large, or too late, is unknown', async () => {
    const instance = await working();
    instance.open = Array.from({ length: 1_000 }, (_, index) => `execution-${index}`);
    expect(await createGrpcWorkSource({ maxBytes: 1_000 }).count(requestTo(instance.port))).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('RESOURCE_EXHAUSTED'),
    });
    instance.isHanging = true;
    expect(await createGrpcWorkSource({ timeout: 100 }).count(requestTo(instance.port))).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('no answer within 100 ms'),
    });
  });
});
