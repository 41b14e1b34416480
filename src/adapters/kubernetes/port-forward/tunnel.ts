/**
 * A Unix socket, in a folder of our own, each of whose connections leads to the admin API of a controller in a cluster. The Pod
 * is looked for anew for each, so whoever connects again after a Pod has gone reaches another one.
 */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

/** Makes one connection; rejects where there is none. */
export type Dial = () => Promise<Duplex>;

export class Tunnel {
  readonly #dial: Dial;
  readonly #server: Server;
  readonly #folder: string;
  readonly #ends = new Set<Duplex>();
  /** The connection that showed that the way is open, until somebody takes it. */
  #first: Duplex | undefined;
  #trouble: Error | undefined;

  private constructor(dial: Dial, folder: string, first: Duplex) {
    this.#dial = dial;
    this.#folder = folder;
    this.#first = first;
    this.#keep(first, (error) => {
      this.#trouble = error;
    });
    this.#server = createServer({ allowHalfOpen: false }, (socket) => void this.#connect(socket));
  }

  /** Makes a first connection, so that what is in the way is told before anybody waits for it. Rejects as `dial` does. */
  static async open(dial: Dial): Promise<Tunnel> {
    const first = await dial();
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-tunnel-'));
    const tunnel = new Tunnel(dial, folder, first);
    await new Promise<void>((resolve, reject) => {
      tunnel.#server.once('error', reject);
      tunnel.#server.listen(tunnel.#path, resolve);
    });
    return tunnel;
  }

  /** For clients: `unix:PATH`. */
  get server(): string {
    return `unix:${this.#path}`;
  }

  /** Why the last connection ended or could not be made; undefined where none has broken. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** Ends all connections and leaves nothing behind. */
  close(): void {
    this.#server.close();
    for (const end of this.#ends) end.destroy();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, 'admin.sock');
  }

  async #connect(socket: Socket): Promise<void> {
    // What breaks here is the client's own end.
    this.#keep(socket, () => undefined);
    const stream = await this.#stream().catch((error: unknown) => {
      this.#trouble = error as Error;
      socket.destroy();
    });
    if (stream === undefined) return;
    if (socket.destroyed) {
      stream.destroy();
      return;
    }
    socket.pipe(stream).pipe(socket);
    socket.once('close', () => stream.destroy());
    stream.once('close', () => socket.destroy());
  }

  /** One that broke before anybody took it is not given. */
  async #stream(): Promise<Duplex> {
    const first = this.#first;
    this.#first = undefined;
    if (first?.destroyed === false) return first;
    const stream = await this.#dial();
    this.#keep(stream, (error) => {
      this.#trouble = error;
    });
    return stream;
  }

  #keep(end: Duplex, onError: (error: Error) => void): void {
    this.#ends.add(end);
    end.on('error', onError);
    end.once('close', () => this.#ends.delete(end));
  }
}
