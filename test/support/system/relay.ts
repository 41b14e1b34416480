/** A TCP relay in front of a server, so that a test can cut its clients off, or leave them in the dark, and let them come back. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface State {
  /** Where new connections go. */
  port: number;
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

  /** Passes everything on to a port of the loopback address. */
  static async to(port: number): Promise<Relay> {
    const state: State = { port, isCut: false, isSilent: false, pipes: new Set() };
    const server = createServer((client) => {
      client.on('error', () => client.destroy());
      if (state.isCut) {
        client.destroy();
        return;
      }
      const upstream = connect({ host: '127.0.0.1', port: state.port });
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
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Relay(server, state);
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

  /** Passes new connections on to another port. */
  redirect(port: number): void {
    this.#state.port = port;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
