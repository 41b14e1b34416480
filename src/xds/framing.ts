/**
 * gRPC frames that many streams share. A frame is a response with its length prefix and a nonce as the last field. The
 * nonce comes from one counter that rises over all streams: a frame may go to every stream whose last nonce is lower,
 * so a wave of pushes shares one buffer; a stream that is further on gets the same body with the next number.
 */
import { encodeResponse, NONCE_FIELD } from './encoding.ts';
import type { Content } from './resource-set.ts';

export interface Frame {
  /** Length prefix, response, nonce. */
  readonly bytes: Buffer;
  readonly nonce: number;
}

export interface Framer {
  /** The frame of a content for a stream whose nonces so far are all at most `lastNonce`. */
  frame(from: { dialect: 'sotw' | 'delta'; content: Content; lastNonce: number }): Frame;
}

interface Shared {
  readonly body: Uint8Array;
  frame: Frame;
}

const PREFIX_LENGTH = 5;
const LENGTH_DELIMITED = 2;

/** Makes a framer; one serves all streams of a server. */
export function createFramer(): Framer {
  let lastNonce = 0;
  const shared = { sotw: new WeakMap<Content, Shared>(), delta: new WeakMap<Content, Shared>() };
  const next = (body: Uint8Array): Frame => {
    lastNonce += 1;
    return { bytes: withNonce(body, lastNonce), nonce: lastNonce };
  };
  return {
    frame({ dialect, content, lastNonce: streamNonce }) {
      let entry = shared[dialect].get(content);
      if (entry === undefined) {
        const body = encodeResponse(dialect, content);
        entry = { body, frame: next(body) };
        shared[dialect].set(content, entry);
      } else if (entry.frame.nonce <= streamNonce) {
        entry.frame = next(entry.body);
      }
      return entry.frame;
    },
  };
}

/** The message without its length prefix, for a writer that frames by itself. */
export function unframed(frame: Frame): Buffer {
  return frame.bytes.subarray(PREFIX_LENGTH);
}

function withNonce(body: Uint8Array, nonce: number): Buffer {
  const digits = String(nonce);
  const length = body.length + 2 + digits.length;
  const bytes = Buffer.allocUnsafe(PREFIX_LENGTH + length);
  bytes.writeUInt8(0, 0);
  bytes.writeUInt32BE(length, 1);
  bytes.set(body, PREFIX_LENGTH);
  let at = PREFIX_LENGTH + body.length;
  at = bytes.writeUInt8((NONCE_FIELD << 3) | LENGTH_DELIMITED, at);
  at = bytes.writeUInt8(digits.length, at);
  bytes.write(digits, at, 'latin1');
  return bytes;
}
