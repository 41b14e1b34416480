/**
 * What proxies report of their requests, on its way to the leader, which counts it: a proxy reports to the replica that it
 * has its routes from. Where the leader is slower than reports come, or is not known, they are dropped, as a proxy drops
 * what it cannot send.
 */
import { Client, type ClientWritableStream, credentials } from '@grpc/grpc-js';
import type { LogStream, OpenLog } from '../adapters/access-log/service.ts';
import { RAW } from '../grpc-server/raw.ts';

/** Where reports go, which changes with the role of the replica: then open streams are broken off. */
export class SwitchedLogs {
  readonly #open = new Set<() => void>();
  #to: OpenLog | undefined;

  /** From here on reports go there; undefined: nowhere. */
  switch(to: OpenLog | undefined): void {
    this.#to = to;
    for (const breakOff of this.#open) breakOff();
    this.#open.clear();
  }

  /** A proxy begins to report. */
  open(breakOff: () => void): LogStream {
    this.#open.add(breakOff);
    const stream = this.#to?.(breakOff);
    return {
      message: (bytes) => stream?.message(bytes),
      ended: () => {
        this.#open.delete(breakOff);
        stream?.ended();
      },
    };
  }
}

/** Bytes that may wait for a leader that is slow; what comes beyond them is dropped. */
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

/** Sends reports on to the leader. `path`: of the method. */
export function forwardLogs({ leader, path }: { readonly leader: string; readonly path: string }): {
  readonly open: OpenLog;
  readonly close: () => void;
} {
  const client = new Client(leader, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  let waiting = 0;
  return {
    open(breakOff) {
      let isOpen = true;
      const call: ClientWritableStream<Buffer> = client.makeClientStreamRequest(
        path,
        RAW.requestSerialize,
        RAW.responseDeserialize,
        () => {
          // The leader ended it: the proxy says anew who it is, to whoever leads then.
          if (isOpen) breakOff();
          isOpen = false;
        },
      );
      return {
        message(bytes) {
          if (!isOpen || waiting + bytes.length > MOST_WAITING_BYTES) return;
          waiting += bytes.length;
          call.write(Buffer.from(bytes), () => {
            waiting -= bytes.length;
          });
        },
        ended() {
          isOpen = false;
          call.end();
        },
      };
    },
    close: () => client.close(),
  };
}
