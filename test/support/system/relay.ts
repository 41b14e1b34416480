/** A TCP relay in front of a server, so that a test can cut its clients off, or leave them in the dark, and let them come back. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Where a server listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A server, a port of the loopback address, or who is asked for each new connection. */
export type Destination = Endpoint | number | (() => Endpoint);

interface State {
  /** Where new connections go. */
  server: () => Endpoint;
  isCut: boolean;
  /** Nothing is passed on, and nobody is told. */
  isSilent: boolean;
  readonly pipes: Set<Pipe>;
}

/** One direction of a connection. */
interface Pipe {
  readonly from: Socket;
  readonly to: Socket;
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

  /** Passes everything on. */
  static async to(server: Destination): Promise<Relay> {
    const state: State = { server: endpointOf(server), isCut: false, isSilent: false, pipes: new Set() };
    const listener = createServer((client) => {
      client.on('error', () => client.destroy());
      if (state.isCut) {
        client.destroy();
        return;
      }
      const upstream = connect(state.server());
      for (const pipe of [
        { from: client, to: upstream },
        { from: upstream, to: client },
      ]) {
        const { from, to } = pipe;
        state.pipes.add(pipe);
        from.setNoDelay(true);
        from.on('error', () => from.destroy());
        from.on('close', () => {
          state.pipes.delete(pipe);
          to.destroy();
        });
        if (!state.isSilent) from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    return new Relay(listener, state);
  }

  /** Drops all connections and refuses new ones. */
  cut(): void {
    this.#state.isCut = true;
    for (const { from } of this.#state.pipes) from.destroy();
  }

  /** Connections stay and are made, and nothing arrives any more. */
  silence(): void {
    this.#state.isSilent = true;
    for (const { from, to } of this.#state.pipes) from.unpipe(to).pause();
  }

  /** Lets clients in again, and passes on what has waited. */
  heal(): void {
    this.#state.isCut = false;
    if (!this.#state.isSilent) return;
    this.#state.isSilent = false;
    for (const { from, to } of this.#state.pipes) from.pipe(to);
  }

  /** Passes new connections on to somewhere else. */
  redirect(server: Destination): void {
    this.#state.server = endpointOf(server);
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function endpointOf(server: Destination): () => Endpoint {
  if (typeof server === 'function') return server;
  const endpoint = typeof server === 'number' ? { host: '127.0.0.1', port: server } : server;
  return () => endpoint;
}
