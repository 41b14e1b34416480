/**
 * What proxies report of their requests, on its way to the leader, which counts it: a proxy reports to the replica that it
 * has its routes from. Reports are lost where no leader is known or it is slower than they come, as a proxy drops what it
 * cannot send; the leader's own records say for which time it heard nothing.
 */
import { Client, type ClientWritableStream, credentials } from '@grpc/grpc-js';

/** What is done with the reports of one stream. */
export interface LogStream {
  message(bytes: Uint8Array): void;
  ended(): void;
}

export interface ForwardedLogs {
  /** A proxy has opened a stream. */
  open(): LogStream;
  /** Ends all streams to the leader. */
  close(): void;
}

/** Bytes that may wait for a leader that is slow; what comes beyond them is dropped. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

const asIs = (bytes: Buffer): Buffer => bytes;

/** `path`: of the method. `onLost`: told how many messages were dropped, at the end of each stream that lost some. */
export function forwardLogs(options: {
  readonly leader: string;
  readonly path: string;
  readonly onLost: (messages: number) => void;
}): ForwardedLogs {
  const client = new Client(options.leader, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  let waiting = 0;
  return {
    open() {
      let lost = 0;
      let isOpen = true;
      const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
        options.path,
        asIs,
        asIs,
        () => {
          isOpen = false;
        },
      );
      return {
        message(bytes) {
          if (!isOpen || waiting + bytes.length > MOST_WAITING_BYTES) {
            lost += 1;
            return;
          }
          waiting += bytes.length;
          call.write(Buffer.from(bytes), () => {
            waiting -= bytes.length;
          });
        },
        ended() {
          call.end();
          if (lost > 0) options.onLost(lost);
        },
      };
    },
    close: () => client.close(),
  };
}
