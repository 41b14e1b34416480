/**
 * The way of a frame onto its stream. Frames are written to the HTTP/2 stream below the gRPC call, which saves grpc-js
 * two stream layers and a copy per message (reference figures: docs/decisions). That stream is private in grpc-js 1.14,
 * so it is looked for, and where it is not found frames go through `call.write`. A stream keeps to one of the two ways.
 */
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { type Frame, unframed } from './framing.ts';

export type RawCall = ServerDuplexStream<Buffer, Buffer>;

export interface PushChannel {
  readonly way: 'http2' | 'grpc';
  /** Whether more should wait until `onDrain`: the other side reads slowly. */
  readonly full: boolean;
  push(frame: Frame): void;
  onDrain(listener: () => void): void;
}

/** The part of `http2.ServerHttp2Stream` that is used. */
interface Http2Stream {
  readonly destroyed: boolean;
  readonly closed: boolean;
  readonly writableNeedDrain: boolean;
  readonly session?: object;
  write(bytes: Buffer): boolean;
  respond(headers: object): void;
  on(event: 'drain', listener: () => void): void;
}

/** The HTTP/2 stream below a call, or undefined where this grpc-js hides it (with server interceptors it does). */
function http2StreamOf(call: RawCall): Http2Stream | undefined {
  const stream = (call as unknown as { call?: { stream?: Partial<Http2Stream> } }).call?.stream;
  const usable =
    stream !== undefined &&
    typeof stream.write === 'function' &&
    typeof stream.respond === 'function' &&
    typeof stream.writableNeedDrain === 'boolean';
  return usable ? (stream as Http2Stream) : undefined;
}

/** What stands for the connection of a call: the same object, or equal text, for calls over the same connection. */
export function connectionOf(call: RawCall): object | string {
  return http2StreamOf(call)?.session ?? call.getPeer();
}

/** Makes the channel of a call. `way: 'grpc'` asks for the public way, as the contract test does. */
export function createPushChannel(call: RawCall, way: 'http2' | 'grpc' = 'http2'): PushChannel {
  const stream = way === 'http2' ? http2StreamOf(call) : undefined;
  return stream === undefined ? grpcChannel(call) : http2Channel(call, stream);
}

function http2Channel(call: RawCall, stream: Http2Stream): PushChannel {
  let started = false;
  return {
    way: 'http2',
    get full() {
      return stream.writableNeedDrain;
    },
    push(frame) {
      if (call.cancelled || stream.destroyed || stream.closed) return;
      if (!started) call.sendMetadata(new Metadata());
      started = true;
      stream.write(frame.bytes);
    },
    onDrain(listener) {
      stream.on('drain', listener);
    },
  };
}

function grpcChannel(call: RawCall): PushChannel {
  return {
    way: 'grpc',
    get full() {
      return call.writableNeedDrain;
    },
    push(frame) {
      if (!call.cancelled) call.write(unframed(frame));
    },
    onDrain(listener) {
      call.on('drain', listener);
    },
  };
}
