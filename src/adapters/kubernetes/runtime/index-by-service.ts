/** A copy of all objects of a kind, in the order of the services that they belong to. */
import type { ServiceName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { Reflector, type ReflectorObserver, type Source, type Standing } from '../client/reflector.ts';
import { serviceOf } from '../labels.ts';

export interface IndexOptions<Item> {
  readonly source: Source<Item>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer?: ReflectorObserver;
  /** Called with the services whose objects have changed; undefined among them stands for objects of nobody's. */
  readonly onChange: (services: ReadonlySet<ServiceName | undefined>) => void;
}

export class IndexByService<Item extends KubernetesObject> {
  readonly #reflector: Reflector<Item>;
  readonly #of = new Map<ServiceName | undefined, Map<string, Item>>();
  readonly #serviceOf = new Map<string, ServiceName | undefined>();

  constructor({ onChange, ...options }: IndexOptions<Item>) {
    this.#reflector = new Reflector<Item>({
      ...options,
      onChange: (keys) => {
        const changed = new Set<ServiceName | undefined>();
        for (const key of keys) for (const service of this.#take(key)) changed.add(service);
        onChange(changed);
      },
    });
  }

  /** Resolves when everything was read once. */
  start(): Promise<void> {
    return this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }

  get standing(): Standing {
    return this.#reflector.standing;
  }

  /** The services that have objects here. */
  services(): readonly ServiceName[] {
    return [...this.#of.keys()].filter((service) => service !== undefined);
  }

  /** The objects of a service; undefined: those of nobody. */
  of(service: ServiceName | undefined): readonly Item[] {
    return [...(this.#of.get(service)?.values() ?? [])];
  }

  /** Takes one object's news over; the services that it belonged and belongs to. */
  #take(key: string): readonly (ServiceName | undefined)[] {
    const item = this.#reflector.objects.get(key);
    const touched: (ServiceName | undefined)[] = [];
    if (this.#serviceOf.has(key)) {
      const before = this.#serviceOf.get(key);
      const rest = this.#of.get(before);
      rest?.delete(key);
      if (rest?.size === 0) this.#of.delete(before);
      this.#serviceOf.delete(key);
      touched.push(before);
    }
    if (item === undefined) return touched;
    const service = serviceOf(item);
    const items = this.#of.get(service) ?? new Map<string, Item>();
    this.#of.set(service, items.set(key, item));
    this.#serviceOf.set(key, service);
    return [...touched, service];
  }
}
