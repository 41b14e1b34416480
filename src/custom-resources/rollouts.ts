/**
 * The leader's hand on Rollout objects: one for each rollout, so that people see them by kubectl and tools wait for them. They
 * are made of the records, and nothing is read from them. Of each service the newest are kept.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { KubernetesApiError } from '../adapters/kubernetes/client/api-error.ts';
import { apiVersionOf } from '../adapters/kubernetes/client/objects.ts';
import { Reflector, type ReflectorObserver, sourceOf } from '../adapters/kubernetes/client/reflector.ts';
import { MANAGED_BY, ROLLOUT, SERVICE_LABEL } from '../adapters/kubernetes/custom-resources.ts';
import type { Backoff } from '../model/backoff.ts';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Operations } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServiceObjectCache } from './cache.ts';
import { Queue } from './queue.ts';
import { type RolloutObject, rolloutObject, rolloutStatus } from './rollout-object.ts';

export interface RolloutObjectsOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly services: ServiceObjectCache;
  readonly operations: Operations;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly observer?: ReflectorObserver;
  readonly onProblem: (problem: { readonly service: string; readonly error: unknown }) => void;
}

/** Of each service. */
const KEPT = 10;
const RETRY: Backoff = { initial: 500, max: 30_000 };
const GATHER: Milliseconds = 300;

export class RolloutObjects {
  readonly #options: RolloutObjectsOptions;
  readonly #reflector: Reflector<RolloutObject>;
  readonly #queue: Queue;
  #unsubscribe = (): void => undefined;

  constructor(options: RolloutObjectsOptions) {
    const { api, namespace, clock, random, observer, onProblem } = options;
    this.#options = options;
    this.#queue = new Queue({
      work: (name) => this.#look(serviceName(name)),
      onFailed: (service, error) => {
        // Somebody was faster; what they wrote comes by the watch.
        if (!(error instanceof KubernetesApiError && error.code === 409)) onProblem({ service, error });
      },
      clock,
      random,
      backoff: RETRY,
      gather: GATHER,
    });
    this.#reflector = new Reflector<RolloutObject>({
      source: sourceOf(api, { kind: ROLLOUT, namespace }),
      clock,
      random,
      onChange: () => this.#all(),
      ...(observer === undefined ? {} : { observer }),
    });
  }

  /** Begins; the objects that are there are read first. */
  start(): void {
    this.#unsubscribe = this.#options.operations.subscribe(() => this.#all());
    void this.#reflector.start();
  }

  /** Writes nothing any more. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([this.#reflector.stop(), this.#queue.stop()]);
  }

  #all(): void {
    if (!this.#reflector.standing.isSynced) return;
    for (const { record } of this.#options.operations.services()) this.#queue.add(record.name);
  }

  async #look(service: ServiceName): Promise<void> {
    const view = this.#options.operations.services().find(({ record }) => record.name === service);
    if (view?.record.rollout === undefined) return;
    const { name } = rolloutObject(view.record.rollout);
    const found = this.#of(service).find(({ metadata }) => metadata.name === name);
    if (found === undefined) await this.#make(view.record);
    else await this.#show(view.record, found);
    await this.#tidy(service, name);
  }

  /** The watch brings it, and then its status is written. */
  async #make({ name: service, rollout }: ServiceRecord): Promise<void> {
    const { api, namespace, services } = this.#options;
    if (rollout === undefined) return;
    const { name, spec } = rolloutObject(rollout);
    const owner = services.ownerOf(service);
    await api.create<RolloutObject>(
      ROLLOUT,
      { namespace },
      {
        apiVersion: apiVersionOf(ROLLOUT),
        kind: ROLLOUT.kind,
        metadata: {
          name,
          namespace,
          labels: { ...MANAGED_BY, [SERVICE_LABEL]: service },
          ...(owner === undefined ? {} : { ownerReferences: [owner] }),
        },
        spec,
      },
    );
  }

  async #show(service: ServiceRecord, found: RolloutObject): Promise<void> {
    const { api, namespace, clock } = this.#options;
    if (service.rollout === undefined) return;
    const { generation = 0, name } = found.metadata;
    const before = found.status?.conditions ?? [];
    const status = rolloutStatus(service.rollout, { service, generation, now: clock.now(), before });
    if (isDeepStrictEqual(status, found.status)) return;
    await api.replace<RolloutObject>(
      ROLLOUT,
      { namespace, name, subresource: 'status' },
      { ...found, status },
    );
  }

  /** Removes the oldest beyond those that are kept. */
  async #tidy(service: ServiceName, current: string): Promise<void> {
    const { api, namespace } = this.#options;
    const old = this.#of(service)
      .filter(({ metadata }) => metadata.name !== current)
      .toSorted((one, other) => (one.spec.startedAt < other.spec.startedAt ? 1 : -1))
      .slice(KEPT - 1);
    for (const { metadata } of old) {
      const { name, uid } = metadata;
      await api.delete(ROLLOUT, { namespace, name }, uid === undefined ? {} : { uid });
    }
  }

  #of(service: ServiceName): readonly RolloutObject[] {
    return [...this.#reflector.objects.values()].filter(({ spec }) => spec.service === service);
  }
}
