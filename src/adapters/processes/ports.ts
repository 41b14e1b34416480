/**
 * Gives each instance a port of its own. One allocator serves all services: specs whose ranges overlap are refused, but
 * an instance may still hold a port of a range that its service gave up. A port is given in turn, the one given longest
 * ago first: a proxy that still holds an old address should not meet another version there.
 */
import { createServer } from 'node:net';
import { listenersOn } from './listeners.ts';

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** No port of a range can be had now. */
export class NoFreePortError extends Error {
  override readonly name = 'NoFreePortError';
}

export class PortAllocator {
  readonly #holders = new Map<number, string>();
  readonly #isFree: (port: number) => Promise<boolean>;
  #lastGiven = 0;

  /** `isFree` tells whether nobody on this machine uses a port. */
  constructor(isFree: (port: number) => Promise<boolean> = isPortFree) {
    this.#isFree = isFree;
  }

  /** Notes that an instance has a port already. */
  hold(port: number, instance: string): void {
    this.#holders.set(port, instance);
    this.#lastGiven = Math.max(this.#lastGiven, port);
  }

  /** Gives `instance` a free port of the range, the one that it has if that is still possible. Throws NoFreePortError. */
  async take(wanted: { instance: string; range: PortRange; preferred: number }): Promise<number> {
    const { instance, range, preferred } = wanted;
    const taken: number[] = [];
    for (const port of this.#inTurn(range, preferred)) {
      const holder = this.#holders.get(port);
      if (holder !== undefined && holder !== instance) continue;
      this.#holders.set(port, instance);
      if (await this.#isFree(port)) {
        if (port !== preferred) {
          this.#drop(preferred, instance);
          this.#lastGiven = port;
        }
        return port;
      }
      if (port !== preferred) this.#drop(port, instance);
      taken.push(port);
    }
    const held = range.to - range.from + 1 - taken.length;
    throw new NoFreePortError(
      `no free port in ${range.from}-${range.to}: ${held} held by other instances, ${taken.length} by other programs; widen the range`,
    );
  }

  /** Takes back all ports of an instance. */
  release(instance: string): void {
    for (const [port, holder] of this.#holders) {
      if (holder === instance) this.#holders.delete(port);
    }
  }

  #drop(port: number, instance: string): void {
    if (this.#holders.get(port) === instance) this.#holders.delete(port);
  }

  *#inTurn({ from, to }: PortRange, preferred: number): Generator<number> {
    if (preferred >= from && preferred <= to) yield preferred;
    const size = to - from + 1;
    const start = this.#lastGiven >= from && this.#lastGiven < to ? this.#lastGiven + 1 - from : 0;
    for (let step = 0; step < size; step++) {
      const port = from + ((start + step) % size);
      if (port !== preferred) yield port;
    }
  }
}

/**
 * Whether a program could listen on a port, whatever address it binds: nobody listens on any address, and 127.0.0.1
 * can be bound (a connection to elsewhere may have been given the port).
 */
export async function isPortFree(port: number): Promise<boolean> {
  if ((await listenersOn(port)).length > 0) return false;
  const server = createServer();
  const bound = Promise.withResolvers<boolean>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') bound.resolve(false);
    // A low port that we may not bind may still be one that the program may.
    else if (error.code === 'EACCES') bound.resolve(true);
    else bound.reject(error);
  });
  server.listen({ host: '127.0.0.1', port, exclusive: true }, () => bound.resolve(true));
  const free = await bound.promise;
  if (server.listening) await new Promise((resolve) => server.close(resolve));
  return free;
}
