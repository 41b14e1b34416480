/** Wakes one loop: rung from anywhere, heard once. */
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';

export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Resolves once it has been rung since it was heard last, or after `atMost`. */
  async heard(atMost: Milliseconds): Promise<void> {
    if (!this.#rung) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await this.#clock.sleep(atMost, woken.signal).catch(() => {});
      this.#wake = () => {};
    }
    this.#rung = false;
  }
}
