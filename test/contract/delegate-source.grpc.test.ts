/** The delegate source contract over gRPC, and what a directory may not say. */
import { type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampNow } from '@bufbuild/protobuf/wkt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createGrpcDelegateSource,
  type GrpcDelegateSourceOptions,
} from '../../src/adapters/delegate-sources/grpc.ts';
import type { DelegateRegistrationSchema } from '../../src/gen/switchyard/work/v1/workflow_pb.js';
import type { Instance } from '../../src/model/instance.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import type { DelegateRegistration } from '../../src/model/workflow.ts';
import type { DelegateRequest } from '../../src/ports/delegate-source.ts';
import { aRegistration } from '../support/registrations.ts';
import { SharedWork } from '../support/shared-work.ts';
import { delegateSourceContract } from './delegate-source.ts';

const SINCE = 500_000;

function asking(instances: readonly Instance[]): Omit<DelegateRequest, 'signal' | 'versions'> {
  return { source: { kind: 'grpc' }, service: serviceName('manager'), since: instant(SINCE), instances };
}

function messageOf(delegate: DelegateRegistration): MessageInitShape<typeof DelegateRegistrationSchema> {
  const { since, lastSeen, tags, ...rest } = delegate;
  return { ...rest, tags: [...tags], since: timestampFromMs(since), lastSeen: timestampFromMs(lastSeen) };
}

delegateSourceContract('the delegate source over gRPC', async () => {
  const shared = new SharedWork();
  const manager = await shared.manager('v1');
  return {
    source: createGrpcDelegateSource(),
    request: asking([manager.instance]),
    connect: (delegates) => {
      shared.delegates = delegates.map(messageOf);
    },
    answering: (does) => {
      manager.server.isAnswering = does;
    },
    close: () => shared.close(),
  };
});

describe('the delegate source over gRPC', () => {
  let shared: SharedWork;
  beforeEach(() => {
    shared = new SharedWork();
  });
  afterEach(() => shared.close());
  const ask = (instances: readonly Instance[], options: GrpcDelegateSourceOptions = {}) =>
    createGrpcDelegateSource(options).delegates({
      ...asking(instances),
      versions: [versionName('v1'), versionName('v2')],
      signal: AbortSignal.timeout(20_000),
    });
  const fill = (count: number) => {
    const delegates = Array.from({ length: count }, (_, index) =>
      aRegistration(`box-${index}`, { tenant: `tenant-${index % 7}`, version: 'v1' }),
    );
    shared.delegates = delegates.map(messageOf);
    return delegates;
  };

  test('reads page by page, each delegate as it was registered', async () => {
    const manager = await shared.manager('v1');
    const delegates = fill(25);
    expect(await ask([manager.instance], { pageSize: 10 })).toEqual({
      kind: 'named',
      asOf: expect.any(Number),
      delegates,
    });
    expect(manager.asked).toEqual(['ListDelegates ', 'ListDelegates 10', 'ListDelegates 20']);
  });

  test('ten thousand delegates are one answer', async () => {
    const manager = await shared.manager('v1');
    fill(10_000);
    const answer = await ask([manager.instance]);
    expect(answer.kind === 'named' && answer.delegates.length).toBe(10_000);
  });

  test('those that were not heard of since then are left out, and so are other versions', async () => {
    const manager = await shared.manager('v1');
    const [gone, there, other] = [
      aRegistration('gone', { tenant: 'acme', version: 'v1', lastSeen: SINCE - 1 }),
      aRegistration('there', { tenant: 'acme', version: 'v1', lastSeen: SINCE }),
      aRegistration('other', { tenant: 'acme', version: 'v9' }),
    ];
    shared.lists = () => ({ asOf: timestampNow(), delegates: [gone, there, other].map(messageOf) });
    expect(await ask([manager.instance])).toMatchObject({ delegates: [{ delegate: 'there' }] });
  });

  test('an instance of the asked versions is asked first; where it is dead, one of another version answers', async () => {
    const [other, own] = [await shared.manager('v9'), await shared.manager('v1')];
    const { instance } = own;
    const [delegate] = fill(1);
    await ask([other.instance, instance]);
    expect([other.asked.length, own.asked.length]).toEqual([0, 1]);
    await own.server.close();
    expect(await ask([other.instance, instance])).toMatchObject({ kind: 'named', delegates: [delegate] });
  });

  test('half a list is no answer: where a page fails, another instance is asked from the beginning', async () => {
    const [own, other] = [await shared.manager('v1'), await shared.manager('v9')];
    const delegates = fill(20);
    let calls = 0;
    shared.lists = ({ pageToken }) => {
      calls += 1;
      if (calls === 2) throw new Error('the store is gone');
      const from = Number(pageToken);
      const page = delegates.slice(from, from + 10).map(messageOf);
      return { asOf: timestampNow(), delegates: page, nextPageToken: from === 0 ? '10' : '' };
    };
    expect(await ask([own.instance, other.instance])).toMatchObject({ kind: 'named', delegates });
    expect(other.asked).toEqual(['ListDelegates ', 'ListDelegates 10']);
  });

  test.each<readonly [string, (of: ReturnType<typeof messageOf>) => object, RegExp]>([
    ['no time', () => ({}), /as_of is absent/],
    [
      'a tenant that is none',
      (of) => ({ asOf: timestampNow(), delegates: [{ ...of, tenant: ' acme' }] }),
      /delegate "box-0": tenant " acme" must be/,
    ],
    [
      'a version that is none',
      (of) => ({ asOf: timestampNow(), delegates: [{ ...of, version: 'V1' }] }),
      /delegate "box-0": version name "V1" must be/,
    ],
    [
      'a delegate without a name',
      (of) => ({ asOf: timestampNow(), delegates: [{ ...of, delegate: '' }] }),
      /a delegate without a name: delegate has 0 characters/,
    ],
    [
      'a delegate that was never heard of',
      (of) => ({ asOf: timestampNow(), delegates: [{ ...of, lastSeen: undefined }] }),
      /last_seen is absent/,
    ],
    [
      'pages without an end',
      () => ({ asOf: timestampNow(), nextPageToken: 'again' }),
      /gives a page a second time/,
    ],
  ])('an answer with %s is unknown, and says what is wrong', async (_, page, reason) => {
    const manager = await shared.manager('v1');
    const [delegate] = fill(1).map(messageOf);
    shared.lists = () => page(delegate ?? {});
    expect(await ask([manager.instance])).toEqual({
      kind: 'unknown',
      reason: expect.stringMatching(reason),
    });
  });

  test('a list that is too long, or a page that is too large or too late, is unknown', async () => {
    const manager = await shared.manager('v1');
    fill(50);
    const cases: readonly (readonly [GrpcDelegateSourceOptions, RegExp])[] = [
      [{ most: 49 }, /more than 49 delegates/],
      [{ maxBytes: 500 }, /RESOURCE_EXHAUSTED/],
    ];
    for (const [options, reason] of cases) {
      expect(await ask([manager.instance], options)).toMatchObject({
        kind: 'unknown',
        reason: expect.stringMatching(reason),
      });
    }
    manager.server.isHanging = true;
    expect(await ask([manager.instance], { timeout: 100 })).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('no answer within 100 ms'),
    });
  });
});
