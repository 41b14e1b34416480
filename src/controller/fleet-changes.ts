/** Watchers report all the time, thousands at once after a restart: what follows from it is done for all together, a moment later. */
import type { Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';

/** How long reports are gathered. */
const GATHERED_FOR: Milliseconds = 200;

export class FleetChanges {
  readonly #clock: Clock;
  readonly #act: (service: ServiceName) => void;
  readonly #stop = new AbortController();
  readonly #changed = new Set<ServiceName>();

  constructor(options: { readonly clock: Clock; readonly act: (service: ServiceName) => void }) {
    this.#clock = options.clock;
    this.#act = options.act;
  }

  /** Tells of a service whose watchers came, went or said something new. */
  changed(service: ServiceName): void {
    const isFirst = this.#changed.size === 0;
    this.#changed.add(service);
    if (!isFirst) return;
    this.#clock.sleep(GATHERED_FOR, this.#stop.signal).then(
      () => {
        const services = [...this.#changed];
        this.#changed.clear();
        for (const name of services) this.#act(name);
      },
      () => undefined,
    );
  }

  stop(): void {
    this.#stop.abort();
  }
}
