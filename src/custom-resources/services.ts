/**
 * The leader's hand on VersionedService objects: it applies their specs, carries out orders, deletes what was deleted, and
 * writes what it sees to their status. It never writes a spec. One object at a time is looked at; what fails is tried again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { VERSIONED_SERVICE } from '../adapters/kubernetes/custom-resources.ts';
import type { Rounds } from '../adapters/rounds.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import { OperationError } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { PrimaryServices } from '../ports/primary-service.ts';
import { conditionsOf, type Standing, timed } from './conditions.ts';
import { objectRounds } from './object-rounds.ts';
import { CONFIRM_ANNOTATION, FINALIZER, type ServiceObject, writerOf } from './objects.ts';
import { newOrder, type Order, type OrderStatus, REASON_ANNOTATION } from './orders.ts';
import { serviceStatus, unrecordedStatus } from './service-status.ts';
import { Specs, type SpecsOptions } from './specs.ts';

/** `cache` is started already; whoever started it stops it. */
export interface ServiceObjectsOptions extends SpecsOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly primaryServices: Pick<PrimaryServices, 'forget'>;
  /** The publication that first showed a service's routes as they are, endpoints aside; undefined before one did. */
  readonly routesShown: (service: ServiceName) => number | undefined;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onProblem: (problem: { readonly service: string; readonly error: unknown }) => void;
}

export class ServiceObjects {
  readonly #options: ServiceObjectsOptions;
  readonly #rounds: Rounds<ServiceName>;
  readonly #specs: Specs;
  readonly #unsubscribe: (() => void)[] = [];

  constructor(options: ServiceObjectsOptions) {
    this.#options = options;
    this.#specs = new Specs(options);
    this.#rounds = objectRounds({ ...options, look: (service) => this.#look(service) });
  }

  /** Looks at all objects, and from then on at those of which something changes, here or there. */
  start(): void {
    const { cache, operations } = this.#options;
    const all = (): void => {
      for (const name of cache.names()) this.#rounds.wake(serviceName(name));
    };
    this.#unsubscribe.push(
      operations.subscribe(all),
      cache.subscribe((names) => {
        for (const name of names) this.#rounds.wake(serviceName(name));
      }),
    );
    all();
  }

  /** Writes nothing any more. */
  async stop(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#rounds.close();
  }

  async #look(name: string): Promise<void> {
    const object = this.#options.cache.get(name);
    if (object === undefined) {
      this.#specs.forget(name);
      return;
    }
    if (object.metadata.deletionTimestamp !== undefined) await this.#delete(object);
    else if (object.metadata.finalizers?.includes(FINALIZER) !== true) await this.#keep(object);
    else {
      await this.#specs.apply(object);
      const order = newOrder(object.metadata.annotations ?? {}, object.status);
      // The status that is written for it brings the object back here.
      if (order?.kind === 'Verb' && this.#recorded(name) !== undefined) await this.#carryOut(object, order);
      else await this.#show(object);
    }
  }

  /**
   * The object stays until its service is deleted; the watch brings it again. One that is kept has a status: where it has none, a
   * restore left that out.
   */
  async #keep(object: ServiceObject): Promise<void> {
    const told = object.status === undefined ? await this.#write(object, this.#status(object)) : object;
    await this.#setFinalizers(told, [...(object.metadata.finalizers ?? []), FINALIZER]);
  }

  /** Said before it is done: a controller that ends within it does not do it again. */
  async #carryOut(object: ServiceObject, order: Order & { readonly kind: 'Verb' }): Promise<void> {
    const taken = await this.#write(object, this.#status(object, this.#order(order.text, 'Taken', '')));
    const outcome = await this.#outcomeOf(object, order);
    await this.#write(taken, this.#status(taken, outcome));
  }

  async #outcomeOf(object: ServiceObject, order: Order & { readonly kind: 'Verb' }): Promise<OrderStatus> {
    const service = serviceName(object.metadata.name);
    const reason = object.metadata.annotations?.[REASON_ANNOTATION] ?? `by the annotation ${order.text}`;
    const caller = { actor: writerOf(object, 'annotations'), reason };
    try {
      const { message } = await order.carry(this.#options.operations, { caller, service, dryRun: false });
      return this.#order(order.text, 'Done', message);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return this.#order(order.text, 'Refused', error.message);
    }
  }

  async #delete(object: ServiceObject): Promise<void> {
    const { name, annotations = {}, finalizers = [] } = object.metadata;
    if (!finalizers.includes(FINALIZER)) return;
    const recorded = this.#recorded(name);
    if (recorded !== undefined) {
      const { traffic } = recorded;
      if (traffic.kind !== 'none' && annotations[CONFIRM_ANNOTATION] !== name) {
        await this.#show(object);
        return;
      }
      await this.#options.operations.deleteService({
        caller: { actor: writerOf(object, 'annotations'), reason: 'the object was deleted' },
        service: serviceName(name),
        dryRun: false,
      });
    }
    // Before the object goes, so that whoever leads next does it where this one could not.
    await this.#options.primaryServices.forget(serviceName(name));
    this.#specs.forget(name);
    await this.#setFinalizers(
      object,
      finalizers.filter((one) => one !== FINALIZER),
    );
  }

  /** Writes the status where it is another one than the object has. */
  async #show(object: ServiceObject): Promise<void> {
    const status = this.#status(object);
    if (!isDeepStrictEqual(status, object.status)) await this.#write(object, status);
  }

  /** `outcome`: of the order that is carried out. */
  #status(object: ServiceObject, outcome?: OrderStatus): NonNullable<ServiceObject['status']> {
    const { clock, operations, routesShown } = this.#options;
    const { name, generation = 0, deletionTimestamp } = object.metadata;
    const { applied, refused } = this.#specs.known(name);
    const about = { now: clock.now(), before: object.status?.conditions ?? [] };
    const order = outcome ?? this.#notTaken(object) ?? object.status?.order;
    const added = order === undefined ? {} : { order };
    if (this.#recorded(name) === undefined)
      return {
        ...unrecordedStatus(this.#standing(name), refused?.generation ?? generation, about),
        ...added,
      };
    const status = serviceStatus({
      view: operations.service(serviceName(name)),
      generation: applied ?? object.status?.observedGeneration ?? 0,
      ...(refused === undefined ? {} : { refused }),
      publication: routesShown(serviceName(name)) ?? 0,
      ...about,
    });
    if (deletionTimestamp === undefined) return { ...status, ...added };
    // The deletion has raised the generation, and no other spec comes any more.
    const conditions = timed(conditionsOf(unconfirmed(name)), { generation, ...about });
    return { ...status, observedGeneration: generation, conditions, ...added };
  }

  /** How an object stands of which nothing is recorded. */
  #standing(name: string): Standing {
    const { question, refused } = this.#specs.known(name);
    if (question !== undefined) return { kind: 'Stalled', reason: 'PrimaryUnknown', message: question };
    if (refused !== undefined) return { kind: 'Stalled', reason: 'InvalidSpec', message: refused.message };
    return { kind: 'Moving', reason: 'New', message: 'it was not applied yet' };
  }

  /** What became of an order that is not carried out. */
  #notTaken({ metadata, status }: ServiceObject): OrderStatus | undefined {
    const order = newOrder(metadata.annotations ?? {}, status);
    return order?.kind === 'NotTaken' ? this.#order(order.text, 'Refused', order.message) : undefined;
  }

  /** Compared with what was read, and never forced: the object that another one wrote meanwhile comes by the watch. */
  #write(object: ServiceObject, status: ServiceObject['status']): Promise<ServiceObject> {
    const { api, namespace } = this.#options;
    const { apiVersion, kind, metadata } = object;
    const { name, resourceVersion, uid } = metadata;
    return api.replace<ServiceObject>(
      VERSIONED_SERVICE,
      { namespace, name, subresource: 'status' },
      {
        apiVersion,
        kind,
        metadata: {
          name,
          namespace,
          ...(uid === undefined ? {} : { uid }),
          ...(resourceVersion === undefined ? {} : { resourceVersion }),
        },
        spec: object.spec,
        ...(status === undefined ? {} : { status }),
      },
    );
  }

  async #setFinalizers({ metadata }: ServiceObject, finalizers: readonly string[]): Promise<void> {
    const { name, resourceVersion } = metadata;
    const { api, namespace } = this.#options;
    const body = { metadata: { resourceVersion, finalizers } };
    await api.merge(VERSIONED_SERVICE, { namespace, name }, body, 'switchyard-status');
  }

  #recorded(name: string): ServiceRecord | undefined {
    return this.#options.records().get(serviceName(name));
  }

  #order(text: string, outcome: OrderStatus['outcome'], message: string): OrderStatus {
    return { text, outcome, message, at: new Date(this.#options.clock.now()).toISOString() };
  }
}

/** How an object stands that is deleted and must not be, yet. */
function unconfirmed(name: string): Standing {
  return {
    kind: 'Stalled',
    reason: 'DeletionNotConfirmed',
    message: `the object is deleted, and its default traffic would be dropped: annotate it with ${CONFIRM_ANNOTATION}=${name} to let it go`,
  };
}
