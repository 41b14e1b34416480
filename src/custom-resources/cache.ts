/** The VersionedService objects of the namespace, as last heard. Every replica follows them; the leader acts on them. */
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { apiVersionOf, type OwnerReference } from '../adapters/kubernetes/client/objects.ts';
import { Reflector, type ReflectorObserver, sourceOf } from '../adapters/kubernetes/client/reflector.ts';
import { VERSIONED_SERVICE } from '../adapters/kubernetes/custom-resources.ts';
import type { ServiceName } from '../model/names.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServiceObject } from './objects.ts';

export class ServiceObjectCache {
  readonly #namespace: string;
  readonly #reflector: Reflector<ServiceObject>;
  readonly #listeners = new Set<(names: readonly string[]) => void>();

  constructor(options: {
    readonly api: KubernetesApi;
    readonly namespace: string;
    readonly clock: Clock;
    /** From 0 to below 1. */
    readonly random: () => number;
    readonly observer?: ReflectorObserver;
  }) {
    const { api, namespace, ...shared } = options;
    this.#namespace = namespace;
    this.#reflector = new Reflector<ServiceObject>({
      ...shared,
      source: sourceOf(api, { kind: VERSIONED_SERVICE, namespace, keepsManagers: true }),
      onChange: (keys) => {
        const names = keys.map((key) => key.slice(key.indexOf('/') + 1));
        for (const listener of this.#listeners) listener(names);
      },
    });
  }

  /** All names. */
  names(): readonly string[] {
    return [...this.#reflector.objects.values()].map(({ metadata }) => metadata.name);
  }

  get(name: string): ServiceObject | undefined {
    return this.#reflector.objects.get(`${this.#namespace}/${name}`);
  }

  /** For what is made for a service, so that it goes when the object goes. */
  ownerOf(service: ServiceName): OwnerReference | undefined {
    const { metadata } = this.get(service) ?? {};
    if (metadata?.uid === undefined) return undefined;
    const { kind } = VERSIONED_SERVICE;
    return { apiVersion: apiVersionOf(VERSIONED_SERVICE), kind, name: metadata.name, uid: metadata.uid };
  }

  /** Why they are not followed now; empty: they are. */
  get trouble(): string {
    return this.#reflector.standing.trouble;
  }

  /** Calls back with the names of what has changed. Returns the way to stop that. */
  subscribe(listener: (names: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to follow. Resolves when everything was read once. */
  start(): Promise<void> {
    return this.#reflector.start();
  }

  stop(): Promise<void> {
    return this.#reflector.stop();
  }
}
