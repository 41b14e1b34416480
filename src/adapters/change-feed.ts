/**
 * Who wants to hear that something of a service changed. Many changes in one turn of the event loop become one call
 * for each service, made after the change is complete, so that a listener never sees half of it.
 */
import type { ServiceName } from '../model/names.ts';

export class ChangeFeed {
  readonly #listeners = new Set<(service: ServiceName) => void>();
  readonly #changed = new Set<ServiceName>();

  /** Calls `listener` after each change. Returns the way to stop that. */
  subscribe(listener: (service: ServiceName) => void): () => void {
    // Wrapped, so that the same function subscribed twice is two subscriptions.
    const subscription = (service: ServiceName): void => listener(service);
    this.#listeners.add(subscription);
    return () => {
      this.#listeners.delete(subscription);
    };
  }

  /** Says that something of `service` changed. */
  changed(service: ServiceName): void {
    if (this.#changed.size === 0) queueMicrotask(() => this.#flush());
    this.#changed.add(service);
  }

  #flush(): void {
    const services = [...this.#changed];
    this.#changed.clear();
    for (const service of services) {
      for (const listener of this.#listeners) listener(service);
    }
  }
}
