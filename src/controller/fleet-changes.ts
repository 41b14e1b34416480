/** Watchers report all the time, thousands at once after a restart: what follows from it is done for all together, a moment later. */
import { after, type Instant, instant, type Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';

/** How long reports are gathered. */
const GATHERED_FOR: Milliseconds = 200;
/** What follows from reports takes at most one part in so many of the time: with thousands of boxes a look at all is dear. */
const SHARE = 10;

export class FleetChanges {
  readonly #clock: Clock;
  readonly #act: (service: ServiceName) => Promise<void>;
  readonly #stop = new AbortController();
  readonly #changed = new Set<ServiceName>();
  #isAtWork = false;
  #notBefore: Instant = instant(0);

  /** `act` resolves when it has done what follows for a service; it never rejects. */
  constructor(options: { readonly clock: Clock; readonly act: (service: ServiceName) => Promise<void> }) {
    this.#clock = options.clock;
    this.#act = options.act;
  }

  /** Tells of a service whose watchers came, went or said something new. */
  changed(service: ServiceName): void {
    this.#changed.add(service);
    if (this.#isAtWork) return;
    this.#isAtWork = true;
    this.#work().catch((error: unknown) => {
      // Stopped: nothing follows any more.
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #work(): Promise<void> {
    while (this.#changed.size > 0) {
      const wait = Math.max(GATHERED_FOR, this.#notBefore - this.#clock.now());
      await this.#clock.sleep(wait, this.#stop.signal);
      const began = this.#clock.now();
      const services = [...this.#changed];
      this.#changed.clear();
      await Promise.all(services.map((service) => this.#act(service)));
      const ended = this.#clock.now();
      this.#notBefore = after(ended, (ended - began) * (SHARE - 1));
    }
    this.#isAtWork = false;
  }
}
