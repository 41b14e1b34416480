/**
 * The leader's hand on Rollout objects: one for each rollout, so that people see them by kubectl and tools wait for them. They
 * are made of the records, and nothing is read from them. Of each service the newest are kept.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { apiVersionOf } from '../adapters/kubernetes/client/objects.ts';
import { Reflector, type ReflectorObserver, sourceOf } from '../adapters/kubernetes/client/reflector.ts';
import { MANAGED_BY, ROLLOUT, SERVICE_LABEL } from '../adapters/kubernetes/custom-resources.ts';
import type { Rounds } from '../adapters/rounds.ts';
import type { ServiceName } from '../model/names.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Operations } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServiceObjectCache } from './cache.ts';
import { objectRounds } from './object-rounds.ts';
import type { Records } from './records.ts';
import { type RolloutObject, rolloutObject, rolloutStatus } from './rollout-object.ts';

export interface RolloutObjectsOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly services: ServiceObjectCache;
  readonly operations: Pick<Operations, 'subscribe'>;
  readonly records: Records;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly observer?: ReflectorObserver;
  readonly onProblem: (problem: { readonly service: string; readonly error: unknown }) => void;
}

/** Of each service. */
const KEPT = 10;

export class RolloutObjects {
  readonly #options: RolloutObjectsOptions;
  readonly #reflector: Reflector<RolloutObject>;
  readonly #rounds: Rounds<ServiceName>;
  #unsubscribe = (): void => undefined;

  constructor(options: RolloutObjectsOptions) {
    const { api, namespace, clock, random, observer } = options;
    this.#options = options;
    this.#rounds = objectRounds({ ...options, look: (service) => this.#look(service) });
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
    await Promise.all([this.#reflector.stop(), this.#rounds.close()]);
  }

  /** As last heard; undefined while it is not there. */
  get(name: string): RolloutObject | undefined {
    return this.#reflector.objects.get(`${this.#options.namespace}/${name}`);
  }

  #all(): void {
    if (!this.#reflector.standing.isSynced) return;
    for (const name of this.#options.records().keys()) this.#rounds.wake(name);
  }

  async #look(service: ServiceName): Promise<void> {
    const record = this.#options.records().get(service);
    if (record?.rollout === undefined) return;
    const wanted = rolloutObject(record.rollout);
    const found = this.#of(service).find(({ metadata }) => metadata.name === wanted.name);
    if (found === undefined) await this.#make(service, wanted);
    else await this.#show(record, record.rollout, found);
    await this.#tidy(service, wanted.name);
  }

  /** The watch brings it, and then its status is written. */
  async #make(service: ServiceName, { name, spec }: ReturnType<typeof rolloutObject>): Promise<void> {
    const { api, namespace, services } = this.#options;
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

  async #show(service: ServiceRecord, rollout: RolloutRecord, found: RolloutObject): Promise<void> {
    const { api, namespace, clock } = this.#options;
    const { generation = 0, name } = found.metadata;
    const before = found.status?.conditions ?? [];
    const status = rolloutStatus(rollout, { service, generation, now: clock.now(), before });
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
