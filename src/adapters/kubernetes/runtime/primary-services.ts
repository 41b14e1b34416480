/** The port PrimaryServices over Kubernetes: one Service for each service, whose selector names the primary. */
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import {
  type PrimaryMove,
  PrimaryServiceError,
  type PrimaryServices,
} from '../../../ports/primary-service.ts';
import { Rounds } from '../../rounds.ts';
import { Turns } from '../../turns.ts';
import type { KubernetesApi } from '../client/api.ts';
import { isNotFound } from '../client/api-error.ts';
import { SERVICE } from '../client/kinds.ts';
import type { OwnerReference } from '../client/objects.ts';
import { isGivenTo, isOurs, serviceOf, versionIn, versionOf } from '../labels.ts';
import { objectName, primaryServiceName } from '../names.ts';
import { adoptedService, givenBack, whyNotLed } from './adopted-service.ts';
import type { Caches } from './caches.ts';
import { instancesOf } from './instances.ts';
import type { Revision, Service } from './objects.ts';
import { ofVersion, serviceSpec, type VersionPlace, type WantedObject } from './wanted.ts';
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

export class KubernetesPrimaryServices implements PrimaryServices {
  readonly #options: KubernetesPrimaryServicesOptions;
  readonly #writer: Writer;
  readonly #rounds: Rounds<ServiceName>;
  readonly #turns = new Turns<ServiceName>();
  /** The last move of each service that was done. */
  readonly #moves = new Map<ServiceName, PrimaryMove>();
  readonly #troubles = new Map<ServiceName, string>();
  /** The services that somebody else's Service was given to, as last seen. */
  readonly #given = new Set<ServiceName>();
  readonly #listeners = new Set<(service: ServiceName) => void>();
  readonly #unsubscribe: () => void;

  constructor(options: KubernetesPrimaryServicesOptions) {
    const { caches, clock, random } = options;
    this.#options = options;
    this.#writer = new Writer(options);
    this.#rounds = new Rounds({ clock, random, round: (service) => this.#putRight(service) });
    this.#unsubscribe = caches.subscribe((services) => {
      for (const service of services) {
        if (this.#moves.has(service)) this.#rounds.wake(service);
        this.#noticeGiven(service);
      }
    });
  }

  async movePrimary(move: PrimaryMove): Promise<void> {
    const { service, version } = move;
    await this.#turns.take(service, async () => {
      if (!this.#hasReadyEndpoint(service, version)) {
        throw new PrimaryServiceError(
          `Service ${nameOf(move)} stays where it is: ${version} of ${service} has no ready endpoint`,
        );
      }
      await this.#write(move);
      this.#moves.set(service, move);
      this.#troubles.delete(service);
    });
  }

  primaryOf(service: ServiceName): VersionName | undefined {
    const found = this.#found(service);
    return found && versionIn(found.spec?.selector);
  }

  problems(service: ServiceName): readonly string[] {
    const trouble = this.#troubles.get(service);
    return trouble === undefined ? [] : [trouble];
  }

  async forget(service: ServiceName): Promise<void> {
    await this.#turns.take(service, async () => {
      this.#moves.delete(service);
      this.#troubles.delete(service);
      const found = this.#found(service);
      if (found !== undefined) await this.#letGo(service, found);
    });
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
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

  #noticeGiven(service: ServiceName): void {
    const isGiven = this.#all(service).some((found) => isGivenTo(found, service));
    if (isGiven && !this.#given.has(service)) for (const listener of this.#listeners) listener(service);
    if (isGiven) this.#given.add(service);
    else this.#given.delete(service);
  }

  /** The Services that are the service's, and those of nobody. */
  #all(service: ServiceName): readonly Service[] {
    const { services } = this.#options.caches;
    return [...services.of(service), ...services.of(undefined)];
  }

  /** A Service that we lead and that is none of a version's own. */
  #found(service: ServiceName): Service | undefined {
    return this.#options.caches.services.of(service).find((found) => {
      const version = versionOf(found);
      const isLed = isOurs(found) || isGivenTo(found, service);
      return isLed && version !== undefined && found.metadata.name !== objectName(service, version);
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
    const found = await api.get<Service>(SERVICE, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
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
    if (!isGivenTo(found, service)) {
      throw new PrimaryServiceError(
        `Service ${name} is not Switchyard's for ${service}: give another name in spec.runtime.kubernetes.primaryService, take that Service away, or have it taken over with \`switchyard adopt\``,
      );
    }
    const why = whyNotLed(found, target);
    if (why !== undefined) throw new PrimaryServiceError(`Service ${name} stays where it is: ${why}`);
  }

  /** The port of the containers is what the version was made with, whatever the spec says by now. */
  #targetOf({ service, spec, version }: PrimaryMove): number | string {
    const revision = this.#options.caches.revisions
      .of(service)
      .find((one: Revision) => versionOf(one) === version);
    const port = revision?.data?.['port'];
    return typeof port === 'number' || typeof port === 'string' ? port : spec.port;
  }

  /** After a change: where the Service is not as it was moved last, it is written again. Asks nobody where it is. */
  async #putRight(service: ServiceName): Promise<boolean> {
    return this.#turns.take(service, async () => {
      const move = this.#moves.get(service);
      const { namespace, ownerOf, isLeader } = this.#options;
      if (move === undefined || !isLeader()) return true;
      const place = { namespace, service, version: move.version, owner: ownerOf(service) };
      const found = this.#all(service).find(({ metadata }) => metadata.name === nameOf(move));
      const wanted = this.#wanted(place, move, found);
      try {
        if (!this.#writer.isAsWanted(wanted, found)) await this.#write(move);
        this.#troubles.delete(service);
        return true;
      } catch (error) {
        if (error instanceof NotLeaderError) return true;
        this.#troubles.set(service, `Service ${nameOf(move)}: ${(error as Error).message}`);
        return false;
      }
    });
  }
}
