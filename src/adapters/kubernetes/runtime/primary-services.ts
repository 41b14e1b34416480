/** The port PrimaryServices over Kubernetes: one Service for each service, whose selector names the primary. */
import type { KubernetesRuntimeSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { PrimaryServiceStanding } from '../../../model/primary-service.ts';
import type { Clock } from '../../../ports/clock.ts';
import {
  type PrimaryMove,
  PrimaryServiceError,
  type PrimaryServices,
} from '../../../ports/primary-service.ts';
import { ChangeFeed } from '../../change-feed.ts';
import { Rounds } from '../../rounds.ts';
import { Turns } from '../../turns.ts';
import type { KubernetesApi } from '../client/api.ts';
import { unlessNotFound } from '../client/api-error.ts';
import { SERVICE } from '../client/kinds.ts';
import type { OwnerReference } from '../client/objects.ts';
import { isGivenTo, isOurs, serviceOf, versionIn, versionOf } from '../labels.ts';
import { objectName, primaryServiceName } from '../names.ts';
import { adoptedService, givenBack, whyNotLed } from './adopted-service.ts';
import type { Caches } from './caches.ts';
import { instancesOf } from './instances.ts';
import type { Service } from './objects.ts';
import { madePort, ofVersion, serviceSpec, type VersionPlace, type WantedObject } from './wanted.ts';
import { NotLeaderError, Writer } from './writer.ts';

export interface KubernetesPrimaryServicesOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Started already; whoever started them stops them. */
  readonly caches: Caches;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly isLeader: () => boolean;
  readonly ownerOf: (service: ServiceName) => OwnerReference | undefined;
}

/** The Service as it must be to lead to a version; `target` is the port that the version's containers have. Pure. */
export function primaryService(
  place: VersionPlace,
  move: Pick<PrimaryMove, 'service' | 'spec'>,
  target: number | string,
): WantedObject {
  return ofVersion(place, SERVICE, { spec: serviceSpec(place, move.spec.port, target) }, nameOf(move));
}

function nameOf({ service, spec }: Pick<PrimaryMove, 'service' | 'spec'>): string {
  return spec.primaryService ?? primaryServiceName(service);
}

/** Whether it is a Service that we made for this service. */
function isMadeFor(found: Service, service: ServiceName): boolean {
  return isOurs(found) && serviceOf(found) === service;
}

/** Whether we lead it: we made it, or it was given to us. */
function isLed(found: Service, service: ServiceName): boolean {
  return isMadeFor(found, service) || isGivenTo(found, service);
}

function refusal(service: ServiceName, name: string): string {
  return `Service ${name} is not Switchyard's for ${service}: give another name in spec.runtime.kubernetes.primaryService, take that Service away, or have it taken over with \`switchyard adopt\``;
}

export class KubernetesPrimaryServices implements PrimaryServices {
  readonly #options: KubernetesPrimaryServicesOptions;
  readonly #writer: Writer;
  readonly #rounds: Rounds<ServiceName>;
  readonly #turns = new Turns<ServiceName>();
  /** The last move of each service that was done. */
  readonly #moves = new Map<ServiceName, PrimaryMove>();
  /** Why the last move that was asked for was not made. */
  readonly #refusals = new Map<ServiceName, string>();
  /** Why the last move that was made could not be kept. */
  readonly #troubles = new Map<ServiceName, string>();
  /** The Services of each service that we lead, and where to, as heard last. */
  readonly #heardLast = new Map<ServiceName, string>();
  readonly #feed = new ChangeFeed();
  readonly #unsubscribe: () => void;

  constructor(options: KubernetesPrimaryServicesOptions) {
    const { caches, clock, random } = options;
    this.#options = options;
    this.#writer = new Writer(options);
    this.#rounds = new Rounds({ clock, random, round: (service) => this.#putRight(service) });
    this.#unsubscribe = caches.subscribe((services) => {
      for (const service of services) this.#heard(service);
    });
  }

  async movePrimary(move: PrimaryMove): Promise<void> {
    const { service, version } = move;
    await this.#turns.take(service, async () => {
      try {
        if (!this.#hasReadyEndpoint(service, version)) {
          throw new PrimaryServiceError(
            `Service ${nameOf(move)} stays where it is: ${version} of ${service} has no ready endpoint`,
          );
        }
        await this.#write(move);
      } catch (error) {
        if (!(error instanceof NotLeaderError)) this.#tell(this.#refusals, service, (error as Error).message);
        throw error;
      }
      this.#moves.set(service, move);
      this.#tell(this.#refusals, service, '');
      this.#tell(this.#troubles, service, '');
    });
  }

  standing(service: ServiceName, spec: KubernetesRuntimeSpec): PrimaryServiceStanding {
    const name = nameOf({ service, spec });
    const problem = this.#refusals.get(service) ?? this.#troubles.get(service) ?? '';
    const found = this.#called(service, name);
    if (found === undefined) return { kind: 'Nowhere', name, problem };
    if (!isLed(found, service))
      return { kind: 'NotOurs', name, problem: problem === '' ? refusal(service, name) : problem };
    const version = versionIn(found.spec?.selector);
    return version === undefined
      ? { kind: 'Nowhere', name, problem }
      : { kind: 'Leads', name, version, problem };
  }

  primaryOf(service: ServiceName): VersionName | undefined {
    return versionIn(this.#found(service)?.spec?.selector);
  }

  async forget(service: ServiceName): Promise<void> {
    await this.#turns.take(service, async () => {
      this.#moves.delete(service);
      this.#tell(this.#refusals, service, '');
      this.#tell(this.#troubles, service, '');
      const found = this.#found(service);
      if (found !== undefined) await this.#letGo(service, found);
    });
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#rounds.close();
  }

  #hasReadyEndpoint(service: ServiceName, version: VersionName): boolean {
    const { caches } = this.#options;
    const observed = {
      service,
      slices: caches.slices.of(service),
      pods: caches.pods.of(service),
      wereReady: new Set<string>(),
    };
    return instancesOf(observed).some((one) => one.version === version && one.state === 'Ready');
  }

  #heard(service: ServiceName): void {
    const standings = this.#led(service)
      .map(({ metadata, spec }) => `${metadata.name} ${versionIn(spec?.selector) ?? ''}`)
      .join();
    if ((this.#heardLast.get(service) ?? '') !== standings) {
      this.#heardLast.set(service, standings);
      this.#feed.changed(service);
    }
    if (this.#moves.has(service)) this.#rounds.wake(service);
  }

  #tell(told: Map<ServiceName, string>, service: ServiceName, trouble: string): void {
    if ((told.get(service) ?? '') === trouble) return;
    if (trouble === '') told.delete(service);
    else told.set(service, trouble);
    this.#feed.changed(service);
  }

  /** The Service of that name, whoever's it is. */
  #called(service: ServiceName, name: string): Service | undefined {
    return this.#all(service).find(({ metadata }) => metadata.name === name);
  }

  /** The Services that are the service's, and those of nobody. */
  #all(service: ServiceName): readonly Service[] {
    const { services } = this.#options.caches;
    return [...services.of(service), ...services.of(undefined)];
  }

  /** The Service that leads to the primary now: labels of ours that it gets with its first move tell it. */
  #found(service: ServiceName): Service | undefined {
    return this.#led(service).find((found) => versionOf(found) !== undefined);
  }

  /** The Services that we lead, without those that each version has of its own. */
  #led(service: ServiceName): readonly Service[] {
    return this.#all(service).filter((found) => {
      const version = versionOf(found);
      const isOfVersion = version !== undefined && found.metadata.name === objectName(service, version);
      return isLed(found, service) && !isOfVersion;
    });
  }

  /** Takes a Service of ours away, and gives one back that was given to us. */
  async #letGo(service: ServiceName, found: Service): Promise<void> {
    if (isOurs(found)) return this.#writer.delete(SERVICE, found);
    const { api, namespace } = this.#options;
    const { name } = found.metadata;
    const now = await api.get<Service>(SERVICE, { namespace, name });
    if (isGivenTo(now, service)) await this.#writer.replace(SERVICE, givenBack(now, service));
  }

  /** The server is asked, not the cache: a Service of somebody else must not become ours. */
  async #write(move: PrimaryMove): Promise<void> {
    const { api, namespace, ownerOf } = this.#options;
    const { service, version } = move;
    const place: VersionPlace = { namespace, service, version, owner: ownerOf(service) };
    const target = this.#targetOf(move);
    const name = nameOf(move);
    const found = await api.get<Service>(SERVICE, { namespace, name }).catch(unlessNotFound);
    const wanted = this.#wanted(place, move, found);
    const isAnothers = found !== undefined && !isMadeFor(found, service);
    if (isAnothers) this.#mustBeGiven(found, service, target);
    if (!this.#writer.isAsWanted(wanted, found)) {
      // Of another's Service only what was read is changed: whoever takes it back meanwhile has it.
      await this.#writer.apply(wanted, isAnothers ? found.metadata.resourceVersion : undefined);
    }
    const before = this.#found(service);
    if (before !== undefined && before.metadata.name !== name) await this.#letGo(service, before);
  }

  #wanted(place: VersionPlace, move: PrimaryMove, found: Service | undefined): WantedObject {
    const isAnothers = found !== undefined && !isMadeFor(found, place.service);
    return isAnothers ? adoptedService(place, found) : primaryService(place, move, this.#targetOf(move));
  }

  /** Throws PrimaryServiceError where somebody else's Service was not given to the service, or cannot lead to its versions. */
  #mustBeGiven(found: Service, service: ServiceName, target: number | string): void {
    const { name } = found.metadata;
    if (!isGivenTo(found, service)) throw new PrimaryServiceError(refusal(service, name));
    const why = whyNotLed(found, target);
    if (why !== undefined) throw new PrimaryServiceError(`Service ${name} stays where it is: ${why}`);
  }

  /** The port of the containers is what the version was made with, whatever the spec says by now. */
  #targetOf({ service, spec, version }: PrimaryMove): number | string {
    return madePort(this.#options.caches.revisions.of(service), version) ?? spec.port;
  }

  /** After a change: where the Service is not as it was moved last, it is written again. Asks nobody where it is. */
  async #putRight(service: ServiceName): Promise<boolean> {
    return this.#turns.take(service, async () => {
      const move = this.#moves.get(service);
      const { namespace, ownerOf, isLeader } = this.#options;
      if (move === undefined || !isLeader()) return true;
      const place = { namespace, service, version: move.version, owner: ownerOf(service) };
      const found = this.#called(service, nameOf(move));
      const wanted = this.#wanted(place, move, found);
      try {
        if (!this.#writer.isAsWanted(wanted, found)) await this.#write(move);
        this.#tell(this.#troubles, service, '');
        return true;
      } catch (error) {
        if (error instanceof NotLeaderError) return true;
        this.#tell(this.#troubles, service, (error as Error).message);
        return false;
      }
    });
  }
}
