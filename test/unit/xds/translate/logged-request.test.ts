import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import {
  AccessLogCommonSchema,
  AccessLogType,
  HTTPAccessLogEntrySchema,
  HTTPResponsePropertiesSchema,
} from '../../../../src/gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { type LoggedRequest, readEntry } from '../../../../src/xds/translate/logged-request.ts';

type Common = MessageInitShape<typeof AccessLogCommonSchema>;
type Response = MessageInitShape<typeof HTTPResponsePropertiesSchema>;

/** An entry of a request that went well on v2 of the service `manager`, with these parts replaced. */
function read(common: Common = {}, response: Response = { responseCode: 200 }): LoggedRequest | undefined {
  const commonProperties = create(AccessLogCommonSchema, {
    accessLogType: AccessLogType.DownstreamEnd,
    routeName: 'manager/Default/mirror/v3',
    upstreamCluster: 'manager__v2',
    streamId: 'stream-1',
    upstreamRequestAttemptCount: 3,
    duration: create(DurationSchema, { seconds: 2n, nanos: 500_000_000 }),
  });
  Object.assign(commonProperties, common);
  return readEntry(
    create(HTTPAccessLogEntrySchema, {
      commonProperties,
      response: create(HTTPResponsePropertiesSchema, response),
    }),
  );
}

describe('an entry', () => {
  test('is read whole', () => {
    expect(read({}, { responseCode: 200 })).toEqual({
      kind: 'Ended',
      streamId: 'stream-1',
      service: 'manager',
      version: 'v2',
      route: 'Default',
      result: 'Success',
      retries: 2,
      duration: 2_500,
      copiedTo: 'v3',
    });
  });

  test.each([
    ['whose route is not ours', { routeName: 'split' }],
    ['without a route', { routeName: '' }],
    ['of a request that has only begun', { accessLogType: AccessLogType.DownstreamStart }],
    ['of an attempt', { accessLogType: AccessLogType.UpstreamEnd }],
  ])('%s says nothing', (_what, common) => {
    expect(read(common)).toBeUndefined();
  });

  test('without common properties says nothing', () => {
    expect(readEntry(create(HTTPAccessLogEntrySchema))).toBeUndefined();
  });

  test('of another service, or of no version, names no version', () => {
    expect(read({ upstreamCluster: 'other__v2' })).not.toHaveProperty('version');
    expect(read({ upstreamCluster: 'a stranger' })).not.toHaveProperty('version');
  });

  test('of a request that no instance was tried for has the version of the answer, and no copy', () => {
    const answer = { responseCode: 503, responseHeaders: { 'x-switchyard-version': 'v2' } };
    const responseFlags = { noHealthyUpstream: true };
    const request = read({ upstreamCluster: '', upstreamRequestAttemptCount: 0, responseFlags }, answer);
    expect(request).toMatchObject({ version: 'v2', result: 'Unavailable', retries: 0 });
    expect(request).not.toHaveProperty('copiedTo');
    const strange = { responseCode: 503, responseHeaders: { 'x-switchyard-version': 'NOT A NAME' } };
    expect(read({ upstreamCluster: '' }, strange)).not.toHaveProperty('version');
  });

  test.each([
    [
      'went away before the answer began',
      { responseFlags: { downstreamConnectionTermination: true } },
      {},
      'ClientGone',
    ],
    [
      'closed the connection',
      { responseFlags: { downstreamConnectionTermination: true } },
      { responseCode: 200 },
      'ClientGone',
    ],
    [
      'was cut off by the proxy',
      { responseFlags: { downstreamConnectionTermination: true } },
      { responseCode: 200, responseCodeDetails: 'downstream_local_disconnect(draining)' },
      'Cut',
    ],
    ['got no status at all', {}, {}, 'ClientGone'],
    ['was upgraded', {}, { responseCode: 101 }, 'Success'],
    [
      'got an unknown gRPC status',
      {},
      { responseCode: 200, responseTrailers: { 'grpc-status': '99' } },
      'ClientError',
    ],
  ] as const)('of a client that %s', (_what, common, response, result) => {
    expect(read(common, response)).toMatchObject({ result });
  });
});
