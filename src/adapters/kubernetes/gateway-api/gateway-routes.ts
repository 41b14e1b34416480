/**
 * The port GatewayRoutes over Kubernetes: an HTTPRoute of our own for each service that asks for one. Only the leader wishes
 * and writes. HTTPRoutes are not followed before somebody wishes one, so a cluster without the Gateway API is let alone;
 * where its kind is missing that is told, and it is taken up when the kind appears.
 */
import { isDeepStrictEqual } from 'node:util';
import { type GatewayStanding } from '../../../model/gateway-standing.ts';
import type { GatewayApiSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { GatewayRoutes, GatewayWish } from '../../../ports/gateway-routes.ts';
import { ChangeFeed } from '../../change-feed.ts';
import { Rounds } from '../../rounds.ts';
import type { KubernetesApi } from '../client/api.ts';
import { isConflict, isNotFound } from '../client/api-error.ts';
import type { OwnerReference } from '../client/objects.ts';
import { Reflector, sourceOf } from '../client/reflector.ts';
import { SERVICE_LABEL } from '../custom-resources.ts';
import { serviceOf } from '../labels.ts';
import { httpRouteName } from '../names.ts';
import type { Caches } from '../runtime/caches.ts';
import { holds } from '../runtime/differs.ts';
import type { Mapping } from '../runtime/objects.ts';
import { madePort, servicePort, type WantedObject } from '../runtime/wanted.ts';
import { NotLeaderError, Writer } from '../runtime/writer.ts';
import { HTTP_ROUTE, httpRoute, REFUSALS_SERVICE, type WantedRoute } from './http-route.ts';
import { type HttpRoute, parentStandings } from './parents.ts';

export interface KubernetesGatewayRoutesOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Started already; whoever started them stops them. */
  readonly caches: Caches;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Asked right before each write. */
  readonly isLeader: () => boolean;
  readonly ownerOf: (service: ServiceName) => OwnerReference | undefined;
}

/** A wish of a service that has a spec for gateways. */
interface Wish extends GatewayWish {
  readonly gatewayApi: GatewayApiSpec;
}

const OURS = `app.kubernetes.io/managed-by=switchyard,${SERVICE_LABEL}`;
const NOT_INSTALLED =
  'HTTPRoute of gateway.networking.k8s.io/v1 is not installed in this cluster: install the Gateway API; it is looked for every half a minute';

export class KubernetesGatewayRoutes implements GatewayRoutes {
  readonly #options: KubernetesGatewayRoutesOptions;
  readonly #writer: Writer;
  readonly #rounds: Rounds<ServiceName>;
  readonly #feed = new ChangeFeed();
  readonly #reflector: Reflector<HttpRoute>;
  readonly #wishes = new Map<ServiceName, Wish>();
  /** What the last round could not write. */
  readonly #troubles = new Map<ServiceName, string>();
  /** As told last. */
  readonly #told = new Map<ServiceName, string>();
  readonly #unsubscribe: () => void;
  #isFollowing = false;
  /** What is not wished is not wanted: this leader has wished. */
  #hasWished = false;
  #isMissing = false;

  constructor(options: KubernetesGatewayRoutesOptions) {
    const { api, namespace, caches, clock, random } = options;
    this.#options = options;
    this.#writer = new Writer(options);
    this.#rounds = new Rounds({ clock, random, round: (service) => this.#round(service) });
    this.#reflector = new Reflector<HttpRoute>({
      clock,
      random,
      source: sourceOf<HttpRoute>(api, { kind: HTTP_ROUTE, namespace, labelSelector: OURS }),
      onChange: (keys) => this.#heard(keys),
      observer: { failed: (error) => this.#failed(error) },
    });
    this.#unsubscribe = caches.subscribe((services) => {
      for (const service of services) if (this.#wishes.has(service)) this.#look(service);
    });
  }

  want(wishes: readonly GatewayWish[]): void {
    this.#hasWished = true;
    const wanted = new Set<ServiceName>();
    for (const wish of wishes) {
      const { gatewayApi } = wish.spec;
      if (gatewayApi === undefined) continue;
      wanted.add(wish.service);
      const before = this.#wishes.get(wish.service);
      if (before?.routes === wish.routes && before.spec === wish.spec) continue;
      this.#wishes.set(wish.service, { ...wish, gatewayApi });
      this.#look(wish.service);
    }
    for (const service of this.#wishes.keys()) {
      if (wanted.has(service)) continue;
      this.#wishes.delete(service);
      this.#troubles.delete(service);
      this.#look(service);
    }
    if (wanted.size > 0) this.#follow();
  }

  standing(service: ServiceName): GatewayStanding | undefined {
    const wish = this.#wishes.get(service);
    if (wish === undefined) return undefined;
    const { namespace } = this.#options;
    const wanted = this.#wanted(wish);
    const found = this.#found(service);
    const isWritten = wanted.kind === 'Fits' && this.#isAsWanted(wanted.wanted, found);
    return {
      name: httpRouteName(service),
      parents: parentStandings(wish.gatewayApi, isWritten ? found : undefined, namespace),
      problems: this.#problems(service, wanted),
    };
  }

  behind(service: ServiceName): readonly string[] {
    if (!this.#isInstalled()) return [];
    const { name = '', parents = [] } = this.standing(service) ?? {};
    return parents
      .filter(({ state }) => state !== 'Accepted')
      .map(({ parent }) => `HTTPRoute ${name} at ${parent}`);
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  /** This replica leads now: what was wished before it might write is written. */
  leadershipChanged(): void {
    for (const service of this.#wishes.keys()) this.#rounds.hurry(service);
  }

  /** This replica leads no more: it wishes nothing, and what is written stays. */
  rest(): void {
    this.#hasWished = false;
    this.#wishes.clear();
    this.#troubles.clear();
    this.#told.clear();
  }

  /** Takes away what a leader before has left of services that wish no route any more; nothing, while nothing has been wished. */
  async tidy(): Promise<void> {
    if (!this.#hasWished) return;
    const { api, namespace } = this.#options;
    const left = await sourceOf<HttpRoute>(api, { kind: HTTP_ROUTE, namespace, labelSelector: OURS })
      .list(AbortSignal.timeout(30_000))
      .catch((error: unknown) => {
        if (isNotFound(error)) return { items: [] };
        throw error;
      });
    for (const route of left.items) {
      const service = serviceOf(route);
      if (service === undefined || !this.#wishes.has(service)) await this.#writer.delete(HTTP_ROUTE, route);
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#rounds.close();
    if (this.#isFollowing) await this.#reflector.stop();
  }

  #follow(): void {
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    void this.#reflector.start();
  }

  #isInstalled(): boolean {
    return !(this.#isMissing && this.#reflector.standing.trouble !== '');
  }

  #failed(error: unknown): void {
    this.#isMissing = isNotFound(error);
    for (const service of this.#wishes.keys()) this.#tell(service);
  }

  #heard(keys: readonly string[]): void {
    this.#isMissing = false;
    // The first time it may be none, and everybody has waited for it.
    const named = keys.flatMap((key) => {
      const route = this.#reflector.objects.get(key);
      return route === undefined ? [] : (serviceOf(route) ?? []);
    });
    const gone = keys.length === named.length ? [] : [...this.#wishes.keys()];
    const services = keys.length === 0 ? [...this.#wishes.keys()] : [...named, ...gone];
    for (const service of new Set(services)) this.#look(service);
  }

  /** Something has changed that the route is made of, or what was heard of it. */
  #look(service: ServiceName): void {
    this.#tell(service);
    this.#rounds.wake(service);
  }

  #tell(service: ServiceName): void {
    const text = JSON.stringify([this.standing(service), this.#isInstalled()]);
    if (this.#told.get(service) === text) return;
    this.#told.set(service, text);
    this.#feed.changed(service);
  }

  #found(service: ServiceName): HttpRoute | undefined {
    return this.#reflector.objects.get(`${this.#options.namespace}/${httpRouteName(service)}`);
  }

  #wanted({ service, spec, gatewayApi, routes }: Wish): WantedRoute {
    const { namespace, ownerOf, caches } = this.#options;
    const portOf = (version: VersionName): number =>
      servicePort(madePort(caches.revisions.of(service), version) ?? spec.port);
    return httpRoute({ namespace, owner: ownerOf(service) }, { service, gatewayApi, routes, portOf });
  }

  /** The whole spec is ours. The server may write it in another way: then its own answer counts. */
  #isAsWanted(wanted: WantedObject, found: HttpRoute | undefined): boolean {
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return false;
    if (this.#writer.isAsAnswered(wanted, found)) return true;
    const { labels = {}, ownerReferences = [] } = wanted.object.metadata;
    const metadata = { labels, ownerReferences } as unknown as Mapping;
    return (
      isDeepStrictEqual(wanted.object['spec'], found.spec) &&
      holds(metadata, found.metadata as unknown as Mapping)
    );
  }

  #problems(service: ServiceName, wanted: WantedRoute): readonly string[] {
    const name = `HTTPRoute ${httpRouteName(service)}`;
    if (!this.#isInstalled()) return [NOT_INSTALLED];
    const { isSynced, trouble } = this.#reflector.standing;
    if (wanted.kind === 'TooMuch')
      return wanted.blockers.map((blocker) => `${name} stays as it is: ${blocker}`);
    const written = this.#troubles.get(service);
    const hasRefusals = this.#options.caches.services
      .of(undefined)
      .some(({ metadata }) => metadata.name === REFUSALS_SERVICE);
    return [
      ...(written === undefined ? [] : [`${name}: ${written}`]),
      ...(isSynced && trouble !== '' ? [`${name} is not followed: ${trouble}`] : []),
      ...(hasRefusals || !JSON.stringify(wanted.wanted.object).includes(REFUSALS_SERVICE)
        ? []
        : [
            `there is no Service ${REFUSALS_SERVICE}, so requests that are to be refused get what the gateway makes of that: apply the manifests of this release`,
          ]),
    ];
  }

  /** True: all is as it is wished, as far as it can be done now. */
  async #round(service: ServiceName): Promise<boolean> {
    const { isLeader } = this.#options;
    // Its first word wakes everybody.
    if (!isLeader() || !this.#hasWished || !this.#isFollowing || !this.#reflector.standing.isSynced)
      return true;
    const wish = this.#wishes.get(service);
    try {
      if (wish === undefined) await this.#takeAway(service);
      else await this.#putRight(wish);
      this.#troubles.delete(service);
      return true;
    } catch (error) {
      // Somebody has written it since: the news of that is on its way.
      if (error instanceof NotLeaderError || isConflict(error)) return true;
      this.#isMissing ||= isNotFound(error);
      this.#troubles.set(service, (error as Error).message);
      return false;
    } finally {
      this.#tell(service);
    }
  }

  async #putRight(wish: Wish): Promise<void> {
    const wanted = this.#wanted(wish);
    const found = this.#found(wish.service);
    // One that is being deleted must be gone first; its end is heard of.
    if (wanted.kind !== 'Fits' || found?.metadata.deletionTimestamp !== undefined) return;
    if (!this.#isAsWanted(wanted.wanted, found))
      await this.#writer.apply(wanted.wanted, found?.metadata.resourceVersion);
  }

  async #takeAway(service: ServiceName): Promise<void> {
    const found = this.#found(service);
    if (found !== undefined) await this.#writer.delete(HTTP_ROUTE, found);
  }
}
