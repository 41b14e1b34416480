/**
 * The leader's Events about VersionedService and Rollout objects, as `kubectl describe` shows them: what the audit trail has, what
 * was refused, and what has gone wrong since. What was so when it began to lead was told by the one before it, or is in
 * the status.
 */

import type { KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import type { ObjectReference, Occurrence } from '../adapters/kubernetes/events/event.ts';
import type { EventRecorder } from '../adapters/kubernetes/events/recorder.ts';
import { rolloutName } from '../adapters/kubernetes/names.ts';
import type { AuditEvent } from '../model/audit.ts';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import type { Operations } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { ServiceObjectCache } from './cache.ts';
import { type On, toldOf } from './event-words.ts';
import type { ServiceObject } from './objects.ts';
import type { Records } from './records.ts';
import type { RolloutObjects } from './rollouts.ts';

export interface ObjectEventsOptions {
  readonly recorder: Pick<EventRecorder, 'record'>;
  readonly namespace: string;
  /** Calls back with what was committed. Returns the way to stop that. */
  readonly followEvents: (listener: (events: readonly AuditEvent[]) => void) => () => void;
  readonly operations: Pick<Operations, 'subscribe' | 'service'>;
  readonly records: Records;
  readonly services: Pick<ServiceObjectCache, 'get' | 'names' | 'subscribe'>;
  readonly rollouts: Pick<RolloutObjects, 'get'>;
  readonly clock: Clock;
}

/** Alerts that come and go within it are not told, and all services are looked at once in it at most. */
const LOOK_AT_ALERTS: Milliseconds = 5_000;
/** Why an object stands still that nothing else tells of. */
const REFUSALS = new Set(['InvalidSpec', 'DeletionNotConfirmed', 'PrimaryUnknown']);

export class ObjectEvents {
  readonly #options: ObjectEventsOptions;
  readonly #stop = new AbortController();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #rollouts = new Map<ServiceName, string | undefined>();
  /** What was refused last of each object, so that it is told once. */
  readonly #refused = new Map<string, readonly string[]>();
  #alerts: ReadonlyMap<ServiceName, readonly string[]> | undefined;
  #isLooking = false;

  constructor(options: ObjectEventsOptions) {
    this.#options = options;
  }

  start(): void {
    const { followEvents, operations, records, services } = this.#options;
    for (const [service, { rollout }] of records()) this.#rollouts.set(service, rollout?.id);
    for (const name of services.names()) this.#refused.set(name, refusalsOf(services.get(name)).map(idOf));
    this.#unsubscribe.push(
      followEvents((events) => this.#happened(events)),
      services.subscribe((names) => {
        for (const name of names) this.#look(name);
      }),
      operations.subscribe(() => void this.#lookAtAlerts()),
    );
    void this.#lookAtAlerts();
  }

  stop(): void {
    this.#stop.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #happened(events: readonly AuditEvent[]): void {
    for (const event of events) {
      const told = toldOf(event);
      if (told === undefined || event.service === undefined) continue;
      this.#tell(event.service, told.occurrence, told.on);
    }
    const services = new Set(events.flatMap(({ service }) => service ?? []));
    for (const service of services) this.#rolloutOf(service);
  }

  /** A rollout that was not there before has begun. */
  #rolloutOf(service: ServiceName): void {
    const rollout = this.#options.records().get(service)?.rollout;
    if (rollout === undefined || this.#rollouts.get(service) === rollout.id) return;
    this.#rollouts.set(service, rollout.id);
    const { id, version, baseline, startedBy, reason, startedAt: at } = rollout;
    const why = reason === '' ? '' : `: ${reason}`;
    const note = `rollout ${id} brings ${version} up beside ${baseline} (${startedBy}${why})`;
    const occurrence = { type: 'Normal', action: 'RollOut', reason: 'RolloutBegan', note, at } as const;
    this.#tell(service, { ...occurrence, id: `rollout/${id}` }, ['Service', 'Rollout']);
  }

  #tell(service: ServiceName, occurrence: Occurrence, on: readonly On[]): void {
    const { recorder, records, services, rollouts } = this.#options;
    const rollout = records().get(service)?.rollout;
    if (on.includes('Service')) recorder.record(occurrence, () => this.#referenceTo(services.get(service)));
    // The end of one that made way for another is told of the service only: the object is that of the other.
    if (on.includes('Rollout') && rollout !== undefined && isAbout(occurrence, rollout)) {
      const name = rolloutName(rollout);
      recorder.record(occurrence, () => this.#referenceTo(rollouts.get(name)));
    }
  }

  /** What the status of an object says since the last look that it was refused. */
  #look(name: string): void {
    const object = this.#options.services.get(name);
    const refusals = refusalsOf(object);
    const before = this.#refused.get(name) ?? [];
    if (object === undefined) this.#refused.delete(name);
    else this.#refused.set(name, refusals.map(idOf));
    const at = this.#options.clock.now();
    for (const refusal of refusals.filter((one) => !before.includes(idOf(one)))) {
      const { action, reason, message: note } = refusal;
      const id = `${idOf(refusal)}/${at}`;
      this.#tell(serviceName(name), { type: 'Warning', action, reason, note, at, id }, ['Service']);
    }
  }

  async #lookAtAlerts(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { clock, operations, records } = this.#options;
    const { signal } = this.#stop;
    await clock.sleep(LOOK_AT_ALERTS, signal).catch(() => undefined);
    this.#isLooking = false;
    if (signal.aborted) return;
    const before = this.#alerts;
    const alerts = new Map([...records().keys()].map((name) => [name, operations.service(name).alerts]));
    this.#alerts = alerts;
    if (before === undefined) return;
    const at = clock.now();
    for (const [service, sentences] of alerts) {
      for (const note of sentences.filter((one) => before.get(service)?.includes(one) !== true)) {
        const words = { type: 'Warning', action: 'Observe', reason: 'NotWell' } as const;
        this.#tell(service, { ...words, note, at, id: `alert/${note}/${at}` }, ['Service']);
      }
    }
  }

  #referenceTo(object: KubernetesObject | undefined): ObjectReference | undefined {
    if (object === undefined) return undefined;
    const { apiVersion, kind } = object;
    const { name, uid, resourceVersion = '' } = object.metadata;
    if (uid === undefined) return undefined;
    return { apiVersion, kind, namespace: this.#options.namespace, name, uid, resourceVersion };
  }
}

interface Refusal {
  readonly action: string;
  readonly reason: string;
  readonly message: string;
  /** What makes it another one although it reads the same. */
  readonly of: string;
}

function refusalsOf(object: ServiceObject | undefined): readonly Refusal[] {
  const { order, conditions = [] } = object?.status ?? {};
  const stalled = conditions.find(
    ({ type, status, reason }) => type === 'Stalled' && status === 'True' && REFUSALS.has(reason),
  );
  return [
    ...(order?.outcome === 'Refused'
      ? [
          {
            action: 'CarryOut',
            reason: 'OrderRefused',
            message: `${order.text}: ${order.message}`,
            of: order.at,
          },
        ]
      : []),
    ...(stalled === undefined
      ? []
      : [
          {
            action: 'ApplySpec',
            reason: stalled.reason,
            message: stalled.message,
            of: String(stalled.observedGeneration),
          },
        ]),
  ];
}

function idOf({ reason, message, of }: Refusal): string {
  return `refusal/${reason}/${of}/${message}`;
}

/** Whether what is told of a rollout's end is told of this one. */
function isAbout({ reason }: Occurrence, { state }: RolloutRecord): boolean {
  const [, ended] = /^Rollout(Succeeded|Aborted|RolledBack|Failed)$/.exec(reason) ?? [];
  return ended === undefined || ended === state;
}
