/**
 * What the API server has of our services, as last heard: the objects that we made, what Kubernetes made of them, and the
 * Services and autoscalers of others, which may select or scale our Pods. Every replica follows it, whoever leads.
 */
import type { ServiceName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KubernetesApi } from '../client/api.ts';
import * as kinds from '../client/kinds.ts';
import type { Kind, KubernetesObject } from '../client/objects.ts';
import { type ReflectorObserver, type Source, sourceOf } from '../client/reflector.ts';
import type { Selection } from '../client/watch.ts';
import { OURS } from '../labels.ts';
import { IndexByService } from './index-by-service.ts';
import type {
  Autoscaler,
  Configuration,
  Deployment,
  EndpointSlice,
  Pod,
  Revision,
  Service,
} from './objects.ts';

export interface CachesOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Told of what failed, by the plural of the kind. */
  readonly observer?: (plural: string) => ReflectorObserver;
  /** Puts something between us and the server; tests put faults there. */
  readonly through?: <Item extends KubernetesObject>(kind: Kind, source: Source<Item>) => Source<Item>;
}

export class Caches {
  readonly deployments: IndexByService<Deployment>;
  readonly revisions: IndexByService<Revision>;
  readonly configMaps: IndexByService<Configuration>;
  readonly secrets: IndexByService<Configuration>;
  readonly budgets: IndexByService<KubernetesObject>;
  readonly pods: IndexByService<Pod>;
  readonly slices: IndexByService<EndpointSlice>;
  /** All of the namespace. */
  readonly services: IndexByService<Service>;
  /** All of the namespace. */
  readonly autoscalers: IndexByService<Autoscaler>;
  readonly #all: readonly { readonly kind: Kind; readonly index: IndexByService<KubernetesObject> }[];
  readonly #listeners = new Set<(services: readonly ServiceName[]) => void>();
  #synced: Promise<void> | undefined;

  constructor(options: CachesOptions) {
    const all: { kind: Kind; index: IndexByService<KubernetesObject> }[] = [];
    const follow = <Item extends KubernetesObject>(
      kind: Kind,
      which: Pick<Selection, 'labelSelector' | 'keepsManagers'> = { labelSelector: OURS },
    ): IndexByService<Item> => {
      const index = this.#index<Item>(options, { kind, namespace: options.namespace, ...which });
      all.push({ kind, index });
      return index;
    };
    this.deployments = follow(kinds.DEPLOYMENT, { labelSelector: OURS, keepsManagers: true });
    this.revisions = follow(kinds.CONTROLLER_REVISION);
    this.configMaps = follow(kinds.CONFIG_MAP);
    this.secrets = follow(kinds.SECRET);
    this.budgets = follow(kinds.DISRUPTION_BUDGET);
    this.pods = follow(kinds.POD);
    this.slices = follow(kinds.ENDPOINT_SLICE);
    this.services = follow(kinds.SERVICE, {});
    this.autoscalers = follow(kinds.AUTOSCALER, {});
    this.#all = all;
  }

  /** Begins to follow. Resolves when everything was read once. */
  start(): Promise<void> {
    this.#synced ??= Promise.all(this.#all.map(({ index }) => index.start())).then(() => undefined);
    return this.#synced;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ index }) => index.stop()));
  }

  /** Calls back with the services of which something has changed. Returns the way to stop that. */
  subscribe(listener: (services: readonly ServiceName[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The services of which there is anything that the runtime makes. */
  known(): readonly ServiceName[] {
    const made = [this.revisions, this.deployments, this.pods];
    return [...new Set(made.flatMap((index) => index.services()))].toSorted();
  }

  /** Whether there is anything of a service that the runtime makes. */
  isKnown(service: ServiceName): boolean {
    const made = [this.revisions, this.deployments, this.pods];
    return made.some((index) => index.of(service).length > 0);
  }

  /** What is not followed now, in sentences. */
  troubles(): readonly string[] {
    return this.#all.flatMap(({ kind, index }) => {
      const { isSynced, trouble } = index.standing;
      return isSynced && trouble !== '' ? [`${kind.plural} are not followed: ${trouble}`] : [];
    });
  }

  #index<Item extends KubernetesObject>(
    { api, clock, random, observer, through }: CachesOptions,
    selection: Selection,
  ): IndexByService<Item> {
    const { kind } = selection;
    const source = sourceOf<Item>(api, selection);
    return new IndexByService<Item>({
      source: through?.(kind, source) ?? source,
      clock,
      random,
      ...(observer === undefined ? {} : { observer: observer(kind.plural) }),
      onChange: (services) => this.#changed(services),
    });
  }

  #changed(services: ReadonlySet<ServiceName | undefined>): void {
    const named = [...services].filter((service) => service !== undefined);
    // What belongs to nobody may select or scale the Pods of anybody.
    const touched = services.has(undefined) ? [...new Set([...named, ...this.known()])] : named;
    if (touched.length === 0) return;
    for (const listener of this.#listeners) listener(touched);
  }
}
