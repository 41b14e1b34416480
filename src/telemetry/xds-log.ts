/**
 * What the log says of proxies: who comes and goes, what they reject, and which streams the server ends and why. One
 * faulty client may try again a hundred times a second, so ended streams are counted and told once a second.
 */
import type { Logger } from 'pino';
import type { Milliseconds } from '../model/instant.ts';

/** What the xDS server reports here. */
export interface XdsLog {
  connected(proxy: {
    readonly id: string;
    readonly kind: string;
    readonly protocol: string;
    readonly address: string;
  }): void;
  disconnected(proxy: { readonly id: string }): void;
  rejected(answer: {
    readonly id: string;
    readonly type: string;
    readonly version: string;
    readonly message: string;
  }): void;
  refused(stream: RefusedStream): void;
}

/** A stream that the server ended. */
interface RefusedStream {
  readonly address: string;
  /** The gRPC status. */
  readonly code: number;
  readonly message: string;
  /** What went wrong in the server, if it did. */
  readonly error?: unknown;
}

/** INTERNAL, https://grpc.io/docs/guides/status-codes/: the fault is the server's. */
const INTERNAL = 13;
const ONCE_PER: Milliseconds = 1_000;

/** Makes the part of an xDS observer that writes to the log. */
export function xdsLog(log: Logger): XdsLog {
  const write = ({ address, code, message, error }: RefusedStream, times: number): void => {
    const line = { address, code, reason: message, times };
    if (code === INTERNAL) log.error({ ...line, err: error }, 'a stream of a proxy failed');
    else log.warn(line, 'a stream of a proxy was refused');
  };
  const seconds = new Map<number, { times: number; last: RefusedStream }>();
  const endSecond = (code: number): void => {
    const second = seconds.get(code);
    seconds.delete(code);
    if (second === undefined || second.times === 0) return;
    write(second.last, second.times);
    begin(second.last);
  };
  const begin = (stream: RefusedStream): void => {
    seconds.set(stream.code, { times: 0, last: stream });
    setTimeout(endSecond, ONCE_PER, stream.code).unref();
  };
  return {
    connected: ({ id, kind, protocol, address }) =>
      log.info({ proxy: id, kind, protocol, address }, 'a proxy connected'),
    disconnected: ({ id }) => log.info({ proxy: id }, 'a proxy disconnected'),
    rejected: ({ id, type, version, message }) =>
      log.warn({ proxy: id, type, version, reason: message }, 'a proxy rejected what it was sent'),
    refused(stream) {
      const second = seconds.get(stream.code);
      if (second === undefined) {
        write(stream, 1);
        begin(stream);
      } else {
        second.times += 1;
        second.last = stream;
      }
    },
  };
}
