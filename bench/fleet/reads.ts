/** Somebody who looks at the controller all the time: how long its answers take, and when its gateway is in step. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdminClient } from '../../src/admin/client.ts';
import { wallClock } from './processes.ts';

const PAUSE_MS = 5;

export interface Reads {
  readonly count: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
}

export class Reader {
  readonly #admin: AdminClient;
  readonly #times: number[] = [];
  readonly #done: Promise<void>;
  #isOver = false;
  #publication = 0n;
  #inStepSince = 0;

  /** Begins to look. */
  constructor(admin: AdminClient) {
    this.#admin = admin;
    this.#done = this.#look();
    // Told by `stop`; whoever failed before it was called tells of that.
    this.#done.catch(() => {});
  }

  /** What all looks took. */
  async stop(): Promise<Reads> {
    this.#isOver = true;
    await this.#done;
    const sorted = this.#times.toSorted((one, other) => one - other);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
    return { count: sorted.length, median: at(0.5), p99: at(0.99), longest: sorted.at(-1) ?? Number.NaN };
  }

  /** The publication that the gateway has, and since when by the wall clock, as far as was seen. */
  get gateway(): { readonly publication: bigint; readonly since: number } {
    return { publication: this.#publication, since: this.#inStepSince };
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      const began = performance.now();
      const { proxies } = await this.#admin.call('listProxies', {});
      this.#times.push(performance.now() - began);
      const publication = proxies[0]?.publication ?? 0n;
      if (publication !== this.#publication) {
        this.#publication = publication;
        this.#inStepSince = wallClock();
      }
      await sleep(PAUSE_MS);
    }
  }
}
