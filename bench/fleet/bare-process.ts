/**
 * The peer of the benchmark of fleets, as a process: the least that holds the same streams with grpc-js and sends the same
 * bytes. It keeps no record of anybody, saves nothing, lets in all at once, and tells all in one loop.
 *
 *     node bench/fleet/bare-process.ts PORT
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { create, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { ConnectResponseSchema, DelegateGateway } from '../../src/gen/examples/delegate/v1/delegate_pb.js';
import { FollowResponseSchema, WatcherService } from '../../src/gen/switchyard/watcher/v1/watcher_pb.js';

type Call = ServerDuplexStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;
const raw = {
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
};

const watchers = new Set<Call>();
/** What a watcher is told when it comes: as a controller without a goal state for it would. */
let told = Buffer.from(
  toBinary(FollowResponseSchema, create(FollowResponseSchema, { heartbeat: durationFromMs(30_000) })),
);
const welcome = Buffer.from(
  toBinary(
    ConnectResponseSchema,
    create(ConnectResponseSchema, {
      message: {
        case: 'welcome',
        value: { manager: 'bare-0-0', version: 'v1', heartbeat: durationFromMs(5_000) },
      },
    }),
  ),
);

const server = new Server({ 'grpc.enable_channelz': 0 });
server.addService(
  {
    follow: { path: `/${WatcherService.typeName}/Follow`, ...raw },
    connect: { path: `/${DelegateGateway.typeName}/Connect`, ...raw },
  },
  {
    follow: (call: Call) => {
      watchers.add(call);
      keep(call, () => told);
      call.on('close', () => watchers.delete(call));
    },
    connect: (call: Call) => keep(call, () => welcome),
  },
);

/** Answers the first message, and reads the others. */
function keep(call: Call, answer: () => Buffer): void {
  call.once('data', () => {
    call.write(answer());
    call.on('data', () => {});
  });
  call.on('error', () => {});
  call.on('end', () => call.end());
}

await new Promise<number>((resolve, reject) => {
  server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
const control = createServer((request, response) => {
  void buffer(request).then((message) => {
    told = message;
    for (const call of watchers) call.write(told);
    response.end();
  });
});
control.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ control: (control.address() as AddressInfo).port }));
});
