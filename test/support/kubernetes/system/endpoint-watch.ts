/** When each Envoy had an endpoint no more: asks their own interfaces over and over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrance } from './installation.ts';

const LOOK_EVERY_MS = 20;

interface Look {
  readonly at: number;
  readonly text: string;
}

export class EndpointWatch {
  readonly #stop = new AbortController();
  readonly #looks = new Map<string, Look[]>();
  readonly #running: Promise<unknown>;

  constructor(entrances: readonly Entrance[]) {
    this.#running = Promise.all(entrances.map((entrance) => this.#watch(entrance)));
  }

  /** By entrance, the end of the first look from `since` on that did not find the address; absent where all did. */
  withdrawnAt(address: string, since: number): ReadonlyMap<string, number> {
    const found = [...this.#looks].flatMap(([entrance, looks]) => {
      const look = looks.find(({ at, text }) => at >= since && !text.includes(`::${address}:`));
      return look === undefined ? [] : [[entrance, look.at] as const];
    });
    return new Map(found);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #watch({ name, envoy }: Entrance): Promise<void> {
    const looks: Look[] = [];
    this.#looks.set(name, looks);
    while (!this.#stop.signal.aborted) {
      const clusters = await envoy.text('/clusters');
      const text = clusters
        .split('\n')
        .filter((line) => line.endsWith('health_flags::healthy'))
        .join('\n');
      if (text !== looks.at(-1)?.text) looks.push({ at: performance.now(), text });
      await sleep(LOOK_EVERY_MS);
    }
  }
}
