/**
 * The one port on which replicas reach each other. A connection that begins as HTTP/2 is for the link between them; one
 * that begins with a line `TUNNEL NAME` is handed on, byte for byte, to what the leader serves under that name: its admin
 * API listens on loopback only, and its followers are let through here.
 */
import type { Socket } from 'node:net';
import { listenForSockets } from '../grpc-server/sockets.ts';

/** What is served through tunnels. */
export type TunnelName = 'admin' | 'watchers';

export type Accept = (socket: Socket) => void;

export interface ReplicaPort {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** How HTTP/2 begins: https://www.rfc-editor.org/rfc/rfc9113#name-http-2-connection-preface. */
const HTTP2 = 'PRI ';
const TUNNEL = 'TUNNEL ';
const LONGEST_LINE = 64;
const BEGINS_WITHIN_MS = 5_000;

/** The line with which a tunnel begins. */
export function tunnelLine(name: TunnelName): string {
  return `${TUNNEL}${name}\n`;
}

/** Listens. `tunnels` answers undefined where this replica does not lead. Rejects where the address cannot be used. */
export async function openReplicaPort(options: {
  readonly host: string;
  readonly port: number;
  readonly link: Accept;
  readonly tunnels: (name: TunnelName) => Accept | undefined;
}): Promise<ReplicaPort> {
  const { host, port, link, tunnels } = options;
  const accept = (socket: Socket): void => begin(socket, link, tunnels);
  return { host, ...(await listenForSockets({ host, port, tcpKeepAlive: true, accept })) };
}

/** Reads as much as tells what the connection is for, and gives all of it to whoever that is. */
function begin(socket: Socket, link: Accept, tunnels: (name: TunnelName) => Accept | undefined): void {
  let read = Buffer.alloc(0);
  const giveUp = setTimeout(() => socket.destroy(), BEGINS_WITHIN_MS).unref();
  const decided = (accept: Accept | undefined, rest: Buffer): void => {
    clearTimeout(giveUp);
    socket.off('data', onData);
    socket.pause();
    if (accept === undefined) {
      socket.destroy();
      return;
    }
    if (rest.length > 0) socket.unshift(rest);
    accept(socket);
  };
  const onData = (bytes: Buffer): void => {
    read = Buffer.concat([read, bytes]);
    const text = read.subarray(0, LONGEST_LINE).toString('latin1');
    const end = text.indexOf('\n');
    if (text.startsWith(HTTP2)) decided(link, read);
    else if (text.startsWith(TUNNEL) && end !== -1)
      decided(accepted(text.slice(TUNNEL.length, end), tunnels), read.subarray(end + 1));
    else if (!mayBecome(text) || read.length >= LONGEST_LINE) decided(undefined, read);
  };
  socket.on('close', () => clearTimeout(giveUp));
  socket.on('data', onData);
}

function accepted(name: string, tunnels: (name: TunnelName) => Accept | undefined): Accept | undefined {
  return name === 'admin' || name === 'watchers' ? tunnels(name) : undefined;
}

function mayBecome(text: string): boolean {
  return [HTTP2, TUNNEL].some((start) => start.startsWith(text) || text.startsWith(start));
}
