/**
 * When a change of instances reaches the proxies: at once where a version gains its first or loses its last ready
 * endpoint (its traffic moves), else after a short wait that joins the churn of a restart into one publication.
 */
import type { Instance } from '../model/instance.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';

/** How long endpoint churn is collected. A flip never waits for this. */
const CHURN_WAIT: Milliseconds = 100;

export class EndpointChanges {
  readonly #clock: Clock;
  readonly #publish: () => void;
  readonly #reachable = new Map<ServiceName, string>();
  readonly #stop = new AbortController();
  #waiting = false;

  constructor(options: { clock: Clock; publish: () => void }) {
    this.#clock = options.clock;
    this.#publish = options.publish;
  }

  /** Tells of a service whose instances changed. */
  changed(service: ServiceName, instances: readonly Instance[]): void {
    const reachable = reachableVersions(instances);
    if (this.#reachable.get(service) !== reachable) {
      this.#reachable.set(service, reachable);
      this.#publish();
      return;
    }
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.sleep(CHURN_WAIT, this.#stop.signal).then(
      () => {
        this.#waiting = false;
        this.#publish();
      },
      () => undefined,
    );
  }

  /** Publishes nothing any more. */
  stop(): void {
    this.#stop.abort();
  }
}

function reachableVersions(instances: readonly Instance[]): string {
  const versions = new Set(instances.filter(({ state }) => state === 'Ready').map(({ version }) => version));
  return [...versions].toSorted().join(' ');
}
