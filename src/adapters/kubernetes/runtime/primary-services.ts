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
import { isOurs, serviceOf, versionIn, versionOf } from '../labels.ts';
import { objectName, primaryServiceName } from '../names.ts';
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
  { spec }: Pick<PrimaryMove, 'spec'>,
  target: number | string,
): WantedObject {
  const name = spec.primaryService ?? primaryServiceName(place.service);
  return ofVersion(place, SERVICE, { spec: serviceSpec(place, spec.port, target) }, name);
}

export class KubernetesPrimaryServices implements PrimaryServices {
  readonly #options: KubernetesPrimaryServicesOptions;
  readonly #writer: Writer;
  readonly #rounds: Rounds<ServiceName>;
  readonly #turns = new Turns<ServiceName>();
  /** The last move of each service that was done. */
  readonly #moves = new Map<ServiceName, PrimaryMove>();
  readonly #troubles = new Map<ServiceName, string>();
  readonly #unsubscribe: () => void;

  constructor(options: KubernetesPrimaryServicesOptions) {
    const { caches, clock, random } = options;
    this.#options = options;
    this.#writer = new Writer(options);
    this.#rounds = new Rounds({ clock, random, round: (service) => this.#putRight(service) });
    this.#unsubscribe = caches.subscribe((services) => {
      for (const service of services) if (this.#moves.has(service)) this.#rounds.wake(service);
    });
  }

  async movePrimary(move: PrimaryMove): Promise<void> {
    const { service, version } = move;
    await this.#turns.take(service, async () => {
      if (!this.#hasReadyEndpoint(service, version)) {
        throw new PrimaryServiceError(
          `${this.#nameOf(move)} stays where it is: ${version} of ${service} has no ready endpoint`,
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
      if (found !== undefined) await this.#writer.delete(SERVICE, found);
    });
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

  /** A Service of ours that is none of a version's own. */
  #found(service: ServiceName): Service | undefined {
    return this.#options.caches.services.of(service).find((found) => {
      const version = versionOf(found);
      return isOurs(found) && version !== undefined && found.metadata.name !== objectName(service, version);
    });
  }

  #nameOf({ service, spec }: PrimaryMove): string {
    return `Service ${spec.primaryService ?? primaryServiceName(service)}`;
  }

  /** The server is asked, not the cache: a Service of somebody else must not become ours. */
  async #write(move: PrimaryMove): Promise<void> {
    const { api, namespace, ownerOf } = this.#options;
    const { service, version } = move;
    const place: VersionPlace = { namespace, service, version, owner: ownerOf(service) };
    const wanted = primaryService(place, move, this.#targetOf(move));
    const { name } = wanted.object.metadata;
    const found = await api.get<Service>(SERVICE, { namespace, name }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (found !== undefined && !(isOurs(found) && serviceOf(found) === service)) {
      throw new PrimaryServiceError(
        `Service ${name} is not Switchyard's for ${service}: give another name in spec.runtime.kubernetes.primaryService, or take that Service away`,
      );
    }
    if (!this.#writer.isAsWanted(wanted, found)) await this.#writer.apply(wanted);
    const before = this.#found(service);
    if (before !== undefined && before.metadata.name !== name) await this.#writer.delete(SERVICE, before);
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
      const { namespace, ownerOf, caches, isLeader } = this.#options;
      if (move === undefined || !isLeader()) return true;
      const place = { namespace, service, version: move.version, owner: ownerOf(service) };
      const wanted = primaryService(place, move, this.#targetOf(move));
      const all = [...caches.services.of(service), ...caches.services.of(undefined)];
      const found = all.find(({ metadata }) => metadata.name === wanted.object.metadata.name);
      try {
        if (!this.#writer.isAsWanted(wanted, found)) await this.#write(move);
        this.#troubles.delete(service);
        return true;
      } catch (error) {
        if (error instanceof NotLeaderError) return true;
        this.#troubles.set(service, `${this.#nameOf(move)}: ${(error as Error).message}`);
        return false;
      }
    });
  }
}
