/** Watchers and controllers are one release apart: what only the newer one knows does not stop the older one. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import {
  type FollowRequest,
  FollowRequestSchema,
  FollowResponseSchema,
} from '../../../src/gen/switchyard/watcher/v1/watcher_pb.js';
import { serviceName } from '../../../src/model/names.ts';
import { answerOfFollow } from '../../../src/watcher/link/wire.ts';
import { startWatcherServer, type WatcherServer } from '../../../src/watcher-server/server.ts';
import { eventually } from '../../support/eventually.ts';
import { withUnknownField } from '../../support/unknown-field.ts';
import { WatcherClient } from '../../support/watcher-client.ts';
import { HandController } from '../../support/watcher-world.ts';

const box = { id: 'box-1', service: 'manager', tenant: 'acme' };
/** A state that no release has. */
const LATER = 4_711;

let controller: HandController;
let server: WatcherServer;
let client: WatcherClient;
beforeEach(async () => {
  controller = new HandController();
  const shared = { watchers: controller, clock: systemClock, host: '127.0.0.1', port: 0 };
  server = await startWatcherServer({ ...shared, isReady: () => true, observer: { fault: () => undefined } });
  client = new WatcherClient(server.port);
});
afterEach(async () => {
  client.close();
  await server.close();
});

const bytesOf = (message: FollowRequest['message']): Uint8Array =>
  toBinary(FollowRequestSchema, create(FollowRequestSchema, { message }));

test('a newer watcher is heard: fields, states and messages that this controller does not know take nothing away', async () => {
  const stream = client.follow();
  const { message: identity } = create(FollowRequestSchema, {
    message: { case: 'identity', value: box as never },
  });
  stream.sendBytes(withUnknownField(bytesOf(identity)));
  stream.sendBytes(withUnknownField(new Uint8Array()));
  stream.report({
    seen: 3n,
    versions: [
      { version: 'v1', state: LATER as never, reason: 'asleep' },
      { version: 'v2', state: LATER as never },
    ],
  });
  const report = await eventually(() => controller.reports[0], { what: 'a report' });
  expect(report.versions).toMatchObject([
    { version: 'v1', state: 'Unready', reason: expect.stringMatching(/newer release.*4711.*: asleep$/) },
    { version: 'v2', state: 'Unready', reason: expect.stringMatching(/newer release.*4711/) },
  ]);
  expect(stream.isOpen).toBe(true);
});

test('an empty message is no message of a newer watcher, and is refused', async () => {
  const stream = client.follow(box);
  stream.sendBytes(new Uint8Array());
  expect((await stream.ended()).details).toMatch(/after it only reports/);
});

test('a newer controller is understood: fields that this watcher does not know take nothing away', () => {
  const answer = create(FollowResponseSchema, {
    goalState: { service: 'manager', generation: 9n, versions: [{ version: 'v1', attempt: 2 }] },
    heartbeat: { seconds: 30n },
  });
  const bytes = withUnknownField(toBinary(FollowResponseSchema, answer));
  expect(answerOfFollow(fromBinary(FollowResponseSchema, bytes))).toMatchObject({
    goal: { service: serviceName('manager'), generation: 9, versions: [{ version: 'v1', attempt: 2 }] },
    interval: 30_000,
  });
});
