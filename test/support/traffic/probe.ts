/** Asks one entrance over and over which version serves default traffic, to see when a command has reached it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from './clients/client.ts';
import { Http1Client } from './clients/http1.ts';

/** Time between two questions; the error of a measured latency. */
const PAUSE_MS = 1;

/** A connection that is kept open, so that a question costs no connect. */
export class Probe {
  readonly #client: Http1Client;
  readonly #path: string;

  /** `path`: what is asked for; an answer that takes the versions no time measures the routes alone. */
  constructor(address: Address, path = '/') {
    this.#client = new Http1Client(address);
    this.#path = path;
  }

  /** Resolves with the time of the first answer by `version`; rejects with the signal's reason. */
  async untilServedBy(version: string, signal: AbortSignal): Promise<number> {
    for (;;) {
      signal.throwIfAborted();
      const outcome = await this.#client.send({ path: this.#path });
      if (outcome.kind === 'answered' && outcome.version === version) return performance.now();
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }

  /**
   * Resolves after one more answer. A proxy acknowledges routes a moment before its worker has them; a request that
   * was sent after the acknowledgement and answered shows that the worker has gone round since.
   */
  async afterOneAnswer(): Promise<number> {
    await this.#client.send({ path: this.#path });
    return performance.now();
  }

  close(): void {
    this.#client.close();
  }
}
