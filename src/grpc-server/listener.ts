/**
 * The listening socket of a gRPC server to which thousands connect at once when it restarts. grpc-js does the protocol;
 * the socket is ours, because grpc-js offers no backlog of its own.
 */
import type { Socket } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Listener, listenForSockets } from './sockets.ts';

/** A server without a socket of its own: connections are handed to it. */
export interface GrpcAcceptor {
  accept(socket: Socket): void;
  /** Ends all connections with what is open on them. */
  close(): void;
}

/** Lets `server` be handed connections. */
export function acceptForGrpc(server: Server, credentials: ServerCredentials): GrpcAcceptor {
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  return {
    accept(socket) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      injector.injectConnection(socket);
    },
    close() {
      server.forceShutdown();
      injector.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Gives every connection to `server`. `port` 0 is any free one. Rejects where the address cannot be used. */
export async function listenForGrpc(wanted: {
  readonly server: Server;
  readonly credentials: ServerCredentials;
  readonly host: string;
  readonly port: number;
  /** Whether TCP asks peers that say nothing whether they are there. */
  readonly tcpKeepAlive: boolean;
}): Promise<Listener> {
  const { server, credentials, ...place } = wanted;
  const acceptor = acceptForGrpc(server, credentials);
  const listener = await listenForSockets({ ...place, accept: (socket) => acceptor.accept(socket) });
  return {
    ...listener,
    async close() {
      acceptor.close();
      await listener.close();
    },
  };
}
