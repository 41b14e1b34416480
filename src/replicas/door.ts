/**
 * A port that all replicas have and the leader alone answers on: a follower hands each connection on to the leader, byte
 * for byte, so whoever connects need not know who leads. When that changes, open connections end, and come again.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TunnelName, tunnelLine } from './port.ts';

export type Door =
  /** This replica leads: it takes the connections itself. */
  | { readonly kind: 'Here'; readonly accept: (socket: Socket) => void }
  /** The address is the leader's for replicas, where what is served under this name is found. */
  | { readonly kind: 'Leader'; readonly host: string; readonly port: number; readonly tunnel: TunnelName }
  /** Nobody is known to lead: connections are ended at once. */
  | { readonly kind: 'Closed' };

export interface OpenDoor {
  readonly host: string;
  readonly port: number;
  /** Where connections go from here on; those that are open end. */
  lead(to: Door): void;
  close(): Promise<void>;
}

/** Thousands of watchers come at once when the leader changes. */
const BACKLOG = 4_096;
const CONNECT_WITHIN_MS = 5_000;

/** Listens. `port` 0 is any free one. Rejects where the address cannot be used. */
export async function openDoor(wanted: { readonly host: string; readonly port: number }): Promise<OpenDoor> {
  const { host, port } = wanted;
  const sockets = new Set<Socket>();
  let door: Door = { kind: 'Closed' };
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const listener = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    keep(socket);
    switch (door.kind) {
      case 'Here':
        door.accept(socket);
        break;
      case 'Leader': {
        const there = connect({ host: door.host, port: door.port, noDelay: true, keepAlive: true });
        keep(there);
        there.write(tunnelLine(door.tunnel));
        join(socket, there);
        break;
      }
      case 'Closed':
        socket.destroy();
    }
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host, port, backlog: BACKLOG }, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    host,
    port: (listener.address() as AddressInfo).port,
    lead(to) {
      door = to;
      endAll();
    },
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      endAll();
      await closed;
    },
  };
}

function join(client: Socket, leader: Socket): void {
  leader.setTimeout(CONNECT_WITHIN_MS, () => {
    if (leader.connecting) leader.destroy();
  });
  leader.on('close', () => client.destroy());
  client.on('close', () => leader.destroy());
  client.pipe(leader);
  leader.pipe(client);
}
