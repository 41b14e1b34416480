/**
 * A port that all replicas have and the leader alone answers on: a follower hands each connection on to the leader, byte
 * for byte, so whoever connects need not know who leads. When that changes, open connections end, and come again.
 */
import { connect, type Socket } from 'node:net';
import { listenForSockets } from '../grpc-server/sockets.ts';
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

const CONNECT_WITHIN_MS = 5_000;

/** Listens. `port` 0 is any free one. Rejects where the address cannot be used. */
export async function openDoor(wanted: { readonly host: string; readonly port: number }): Promise<OpenDoor> {
  const { host, port } = wanted;
  let door: Door = { kind: 'Closed' };
  const listener = await listenForSockets({
    host,
    port,
    tcpKeepAlive: true,
    accept: (socket) => pass(socket, door),
  });
  return {
    host,
    port: listener.port,
    lead(to) {
      door = to;
      listener.endAll();
    },
    close: () => listener.close(),
  };
}

function pass(socket: Socket, door: Door): void {
  switch (door.kind) {
    case 'Here':
      door.accept(socket);
      break;
    case 'Leader': {
      const there = connect({ host: door.host, port: door.port, noDelay: true, keepAlive: true });
      there.on('error', () => there.destroy());
      there.write(tunnelLine(door.tunnel));
      join(socket, there);
      break;
    }
    case 'Closed':
      socket.destroy();
  }
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
