/** Listening sockets to which thousands connect at once when whoever listens has restarted. */
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface Listener {
  /** The port that is listened on. */
  readonly port: number;
  /** Ends all connections; new ones are taken. */
  endAll(): void;
  /** Stops listening and ends all connections. */
  close(): Promise<void>;
}

/** The most that the system may keep waiting. */
const BACKLOG = 4_096;

/** Hands every connection to `accept`. `port` 0 is any free one. Rejects where the address cannot be used. */
export async function listenForSockets(wanted: {
  readonly host: string;
  readonly port: number;
  /** Whether TCP asks peers that say nothing whether they are there. */
  readonly tcpKeepAlive: boolean;
  readonly accept: (socket: Socket) => void;
}): Promise<Listener> {
  const { host, port, tcpKeepAlive, accept } = wanted;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: tcpKeepAlive }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    accept(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    endAll,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      endAll();
      await closed;
    },
  };
}
