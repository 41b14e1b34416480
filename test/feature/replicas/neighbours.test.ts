/** Replicas of neighbouring releases talk to each other: what only the newer one knows takes nothing away. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import {
  FollowRequestSchema,
  FollowResponseSchema,
} from '../../../src/gen/switchyard/replica/v1/replica_pb.js';
import { reportOf } from '../../../src/replicas/messages.ts';
import { withUnknownField } from '../../support/unknown-field.ts';

const NOW = 1_764_000_000_000;
const proxy = {
  id: 'gateway',
  nodeId: 'gateway',
  connectedAt: timestampFromMs(NOW),
  lastSeen: timestampFromMs(NOW),
};

test('a leader takes the report of a newer follower, with kinds and dialects that it does not know', () => {
  const request = create(FollowRequestSchema, {
    replica: 'switchyard-2',
    commit: 7n,
    changed: [{ ...proxy, commit: 6n, routesCommit: 7n, kind: 99 as never, protocol: 99 as never }],
  });
  const report = reportOf(
    fromBinary(FollowRequestSchema, withUnknownField(toBinary(FollowRequestSchema, request))),
  );
  expect(report).toMatchObject({
    commit: 7,
    changed: [{ id: 'gateway', publication: 6, routesPublication: 7, kind: 'envoy', protocol: 'sotw' }],
  });
});

test('a leader takes the report of an older follower, which leaves out what it does not know', () => {
  const request = create(FollowRequestSchema, { replica: 'switchyard-2', changed: [proxy] });
  expect(reportOf(request)).toMatchObject({
    commit: 0,
    changed: [{ id: 'gateway', publication: 0, types: [] }],
    gone: [],
    heldBack: [],
  });
});

test('a follower understands a newer leader', () => {
  const bytes = withUnknownField(
    toBinary(FollowResponseSchema, create(FollowResponseSchema, { commit: 12n })),
  );
  expect(fromBinary(FollowResponseSchema, bytes).commit).toBe(12n);
});
