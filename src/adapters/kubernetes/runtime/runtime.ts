/**
 * The Runtime port over Kubernetes: wishes enter, Deployments with all that belongs to them are made, and their Pods leave as
 * instances. Every replica observes; only the one that leads writes. What it writes is put right again where somebody
 * changes it by hand; what cannot be put right is told.
 */
import type { Instance } from '../../../model/instance.ts';
import type { KubernetesRuntimeSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Runtime, RuntimeWish } from '../../../ports/runtime.ts';
import { ChangeFeed } from '../../change-feed.ts';
import { Rounds } from '../../rounds.ts';
import type { KubernetesApi } from '../client/api.ts';
import { AUTOSCALER, DEPLOYMENT } from '../client/kinds.ts';
import type { KubernetesObject, OwnerReference } from '../client/objects.ts';
import { objectName } from '../names.ts';
import type { Caches } from './caches.ts';
import { strangersIn } from './differs.ts';
import { instancesOf } from './instances.ts';
import { Maker } from './maker.ts';
import type { Deployment } from './objects.ts';
import { problemsOf, scaledByAnother } from './problems.ts';
import { doomedObjects, madeVersions } from './teardown.ts';
import { sourceText } from './template.ts';
import { type VersionPlace, type WantedObject, wantedObjects } from './wanted.ts';
import { NotLeaderError, Writer } from './writer.ts';

export interface KubernetesRuntimeOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Started already; whoever started them stops them. */
  readonly caches: Caches;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Asked right before each write. When the answer has become true, call `leadershipChanged`. */
  readonly isLeader: () => boolean;
  /** The VersionedService that owns what is made for a service; undefined where it is not known, or not any more. */
  readonly ownerOf: (service: ServiceName) => OwnerReference | undefined;
}

/**
 * The last wish for a service; `spec` is undefined where it is to be forgotten. Such a wish stays: what was being made when it
 * came is heard of later, and must go too.
 */
interface Wish {
  readonly spec: KubernetesRuntimeSpec | undefined;
  readonly versions: readonly VersionName[];
}

interface View {
  readonly instances: readonly Instance[];
  readonly problems: readonly string[];
}

const NOTHING: View = { instances: [], problems: [] };

export class KubernetesRuntime implements Runtime {
  readonly #options: KubernetesRuntimeOptions;
  readonly #writer: Writer;
  readonly #maker: Maker;
  readonly #rounds: Rounds<ServiceName>;
  readonly #wishes = new Map<ServiceName, Wish>();
  readonly #views = new Map<ServiceName, View>();
  /** What the last round could not do. */
  readonly #troubles = new Map<ServiceName, readonly string[]>();
  /** As last known: an owner that is gone takes its objects with it, and they must not be kept back from that. */
  readonly #owners = new Map<ServiceName, OwnerReference>();
  readonly #wereReady = new Map<ServiceName, ReadonlySet<string>>();
  readonly #feed = new ChangeFeed();
  readonly #unsubscribe: () => void;
  #closed = false;

  constructor(options: KubernetesRuntimeOptions) {
    const { caches, clock, random } = options;
    this.#options = options;
    this.#writer = new Writer(options);
    this.#maker = new Maker({ ...options, writer: this.#writer });
    this.#rounds = new Rounds({ clock, random, round: (service) => this.#round(service) });
    this.#unsubscribe = caches.subscribe((services) => {
      for (const service of services) this.#heard(service);
    });
    for (const service of caches.known()) this.#look(service);
  }

  async want({ service, spec, versions }: RuntimeWish): Promise<void> {
    this.#mustBeOpen();
    if (spec.kind !== 'kubernetes')
      throw new TypeError(`runtime of ${service} must be "kubernetes", not "${spec.kind}"`);
    this.#wish(service, { spec, versions: [...new Set(versions)].toSorted() });
  }

  settled(): Promise<void> {
    return this.#options.caches.start();
  }

  instances(service: ServiceName): readonly Instance[] {
    return this.#views.get(service)?.instances ?? [];
  }

  offered(): readonly VersionName[] {
    return [];
  }

  problems(service: ServiceName): readonly string[] {
    const { problems } = this.#views.get(service) ?? NOTHING;
    return this.#views.has(service) ? [...problems, ...this.#options.caches.troubles()] : [];
  }

  services(): readonly ServiceName[] {
    const wished = [...this.#wishes].filter(([, { spec }]) => spec !== undefined).map(([service]) => service);
    return [...new Set([...wished, ...this.#options.caches.known()])].toSorted();
  }

  async forget(service: ServiceName): Promise<void> {
    this.#mustBeOpen();
    this.#wish(service, { spec: undefined, versions: [] });
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** This replica leads now, or leads no more: who leads puts everything right that the one before has left. */
  leadershipChanged(): void {
    for (const service of this.#wishes.keys()) this.#rounds.hurry(service);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    await this.#rounds.close();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('the kubernetes runtime is closed');
  }

  #wish(service: ServiceName, wish: Wish): void {
    const before = this.#wishes.get(service);
    if (JSON.stringify(before) === JSON.stringify(wish)) return;
    this.#wishes.set(service, wish);
    this.#look(service);
    this.#rounds.hurry(service);
  }

  #heard(service: ServiceName): void {
    this.#look(service);
    if (this.#wishes.has(service)) this.#rounds.wake(service);
  }

  /** Puts together what is known of a service, and tells where that has changed. */
  #look(service: ServiceName): void {
    const before = this.#views.get(service);
    const isWished = this.#wishes.get(service)?.spec !== undefined;
    const isKnown = isWished || this.#options.caches.isKnown(service);
    if (!isKnown) this.#dropMemory(service);
    const view = isKnown ? this.#view(service) : undefined;
    if (JSON.stringify(before) === JSON.stringify(view)) return;
    if (view === undefined) this.#views.delete(service);
    else this.#views.set(service, view);
    if (JSON.stringify(before ?? NOTHING) !== JSON.stringify(view ?? NOTHING)) this.#feed.changed(service);
  }

  #view(service: ServiceName): View {
    const { caches } = this.#options;
    const pods = caches.pods.of(service);
    const wereReady = this.#wereReady.get(service) ?? new Set();
    const instances = instancesOf({ service, slices: caches.slices.of(service), pods, wereReady });
    const isReadyNow = ({ id, state }: Instance): boolean => state === 'Ready' || wereReady.has(id);
    this.#wereReady.set(service, new Set(instances.filter(isReadyNow).map(({ id }) => id)));
    const around = problemsOf({
      service,
      deployments: caches.deployments.of(service),
      pods,
      shown: new Set(instances.map(({ id }) => id)),
      otherServices: caches.services.of(undefined),
      otherAutoscalers: caches.autoscalers.of(undefined),
    });
    return {
      instances,
      problems: [...(this.#troubles.get(service) ?? []), ...this.#unlikeSpec(service), ...around],
    };
  }

  /** A version is immutable: where the spec says something else of Pods by now, that is told. */
  #unlikeSpec(service: ServiceName): readonly string[] {
    const { spec, versions } = this.#wishes.get(service) ?? {};
    if (spec === undefined || versions === undefined) return [];
    const unlike = versions.filter((version) => {
      const source = this.#maker.sourceOf(service, version);
      return source !== undefined && source !== sourceText(spec);
    });
    if (unlike.length === 0) return [];
    const keep = unlike.length === 1 ? 'keeps' : 'keep';
    return [
      `${unlike.join(', ')} ${keep} the Pods and the port of the spec before: a version never changes, and the next one gets the new ones`,
    ];
  }

  #dropMemory(service: ServiceName): void {
    this.#troubles.delete(service);
    this.#wereReady.delete(service);
    this.#owners.delete(service);
  }

  /** True: all is as it is wished, as far as it can be done now. */
  async #round(service: ServiceName): Promise<boolean> {
    const wish = this.#wishes.get(service);
    const { isLeader, caches } = this.#options;
    if (wish === undefined) return true;
    if (!isLeader()) {
      this.#tell(service, []);
      return true;
    }
    const troubles: string[] = [];
    const attempt = async (version: VersionName, work: () => Promise<void>): Promise<void> => {
      await work().catch((error: unknown) => {
        if (!(error instanceof NotLeaderError)) troubles.push(`${version}: ${(error as Error).message}`);
      });
    };
    for (const version of madeVersions(caches, service)) {
      if (!wish.versions.includes(version)) await attempt(version, () => this.#takeDown(service, version));
    }
    const { spec } = wish;
    if (spec !== undefined) {
      for (const version of wish.versions) {
        const wanted = await this.#wanted(service, version, spec).catch(async (error: unknown) => {
          await attempt(version, () => Promise.reject(error));
          return [];
        });
        // One that is refused does not keep the others from being made.
        for (const each of wanted) await attempt(version, () => this.#putRight(service, each));
      }
    }
    this.#tell(service, troubles);
    return troubles.length === 0;
  }

  /** What this replica could not do; one that does not lead has nothing to say of it. */
  #tell(service: ServiceName, troubles: readonly string[]): void {
    this.#troubles.set(service, troubles);
    this.#look(service);
  }

  async #wanted(
    service: ServiceName,
    version: VersionName,
    spec: KubernetesRuntimeSpec,
  ): Promise<readonly WantedObject[]> {
    const { namespace, ownerOf, caches } = this.#options;
    const owner = ownerOf(service) ?? this.#owners.get(service);
    if (owner !== undefined) this.#owners.set(service, owner);
    const place: VersionPlace = { namespace, service, version, owner };
    const made = await this.#maker.make(place, spec);
    const isScaledByAnother =
      scaledByAnother(caches.autoscalers.of(undefined), service, version) !== undefined;
    if (spec.autoscaling === undefined) await this.#dropAutoscaler(service, version);
    return wantedObjects(place, made, { ...spec, isScaledByAnother });
  }

  async #dropAutoscaler(service: ServiceName, version: VersionName): Promise<void> {
    const name = objectName(service, version);
    const found = this.#options.caches.autoscalers
      .of(service)
      .find(({ metadata }) => metadata.name === name && metadata.deletionTimestamp === undefined);
    if (found !== undefined) await this.#writer.delete(AUTOSCALER, found);
  }

  async #putRight(service: ServiceName, wanted: WantedObject): Promise<void> {
    const found = this.#found(service, wanted);
    // One that is being deleted must be gone first; its end is heard of.
    if (found?.metadata.deletionTimestamp !== undefined) return;
    if (this.#writer.isAsWanted(wanted, found)) return;
    const replicas = (found as Deployment | undefined)?.spec?.replicas;
    const isLeft =
      wanted.kind === DEPLOYMENT && (wanted.object as unknown as Deployment).spec.replicas === undefined;
    if (isLeft && found !== undefined && replicas !== undefined)
      await this.#writer.handOverReplicas(DEPLOYMENT, found, replicas);
    const hasStrangers = found !== undefined && strangersIn(found).length > 0;
    if (hasStrangers && !(await this.#writer.takeOutAdded(wanted, found))) return;
    await this.#writer.apply(wanted);
  }

  #found(service: ServiceName, { kind, object }: WantedObject): KubernetesObject | undefined {
    const { caches } = this.#options;
    const indexes = [caches.services, caches.deployments, caches.budgets, caches.autoscalers];
    return indexes
      .flatMap((index): readonly KubernetesObject[] => index.of(service))
      .find((found) => found.kind === kind.kind && found.metadata.name === object.metadata.name);
  }

  async #takeDown(service: ServiceName, version: VersionName): Promise<void> {
    this.#maker.forget(service, version);
    for (const { kind, object } of doomedObjects(this.#options.caches, service, version))
      await this.#writer.delete(kind, object);
  }
}
