/** A TCP relay in front of a server, so that a test can cut its clients off and let them come back. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface State {
  /** Where new connections go. */
  port: number;
  isCut: boolean;
  readonly sockets: Set<Socket>;
}

export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #state: State;

  private constructor(server: Server, state: State) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#state = state;
  }

  /** Passes everything on to a port of the loopback address. */
  static async to(port: number): Promise<Relay> {
    const state: State = { port, isCut: false, sockets: new Set() };
    const server = createServer((client) => {
      client.on('error', () => client.destroy());
      if (state.isCut) {
        client.destroy();
        return;
      }
      const upstream = connect({ host: '127.0.0.1', port: state.port });
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        state.sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          state.sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Relay(server, state);
  }

  /** Drops all connections and refuses new ones. */
  cut(): void {
    this.#state.isCut = true;
    for (const socket of this.#state.sockets) socket.destroy();
  }

  /** Lets clients in again. */
  heal(): void {
    this.#state.isCut = false;
  }

  /** Passes new connections on to another port. */
  redirect(port: number): void {
    this.#state.port = port;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
