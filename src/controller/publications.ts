/**
 * Publishes the routing table when it changed, and notes which publication showed what first: removals and steps of a
 * rollout wait for that one.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { Retirement, ServiceRecord } from '../model/state.ts';
import type { DefaultRoute, RoutingTable, ServiceRoutes } from '../model/table.ts';
import type { GatewayRoutes, GatewayWish } from '../ports/gateway-routes.ts';
import type { Publisher } from '../ports/publisher.ts';
import type { Ledger } from './ledger.ts';
import { Tables } from './tables.ts';

/** A retirement step of a version with the first publication that showed it to proxies. */
interface Shown {
  readonly step: Retirement['step'];
  readonly publication: number;
}

interface ShownRoutes {
  readonly routes: ServiceRoutes;
  /** What of them is not endpoints. */
  readonly text: string;
  readonly publication: number;
}

export class Publications {
  readonly #ledger: Ledger;
  readonly #publisher: Publisher;
  readonly #gatewayRoutes: Pick<GatewayRoutes, 'want'> | undefined;
  readonly #tables: Tables;
  readonly #shown = new Map<string, Shown>();
  /** The records whose retirements were noted last. */
  readonly #noted = new Map<ServiceName, ServiceRecord>();
  readonly #offDefault = new Map<string, number>();
  readonly #shownRoutes = new Map<ServiceName, ShownRoutes>();
  #number = 0;
  #open = false;

  constructor(options: {
    ledger: Ledger;
    publisher: Publisher;
    gatewayRoutes?: Pick<GatewayRoutes, 'want'>;
    instancesOf: (record: ServiceRecord) => readonly Instance[];
  }) {
    this.#ledger = options.ledger;
    this.#publisher = options.publisher;
    this.#gatewayRoutes = options.gatewayRoutes;
    this.#tables = new Tables(options.instancesOf);
  }

  /** From here on the table is published; before, nothing reaches a proxy (rule 7). */
  open(): void {
    this.#open = true;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** The table that was published last. */
  get table(): RoutingTable {
    return this.#tables.table;
  }

  /** The number of the last publication; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  /** Says that a service's instances are no longer those that its routes were built from. */
  instancesChanged(service: ServiceName): void {
    this.#tables.instancesChanged(service);
  }

  /** Publishes at once if the table changed. Returns the number of the publication that shows what is recorded now. */
  publish(): number {
    if (!this.#open) return this.#number;
    const changed = this.#tables.rebuild(this.#ledger.records());
    if (changed || this.#number === 0) {
      const number = this.#ledger.takeNumber();
      this.#publisher.publish({ number, table: this.table });
      this.#number = number;
    }
    this.#gatewayRoutes?.want(this.#gatewayWishes());
    this.#noteRetirements();
    this.#noteRoutes();
    return this.#number;
  }

  /** The first publication since which a version gets no default traffic; undefined while it gets some. */
  offDefaultSince(service: ServiceName, version: VersionName): number | undefined {
    return this.#offDefault.get(`${service} ${version}`);
  }

  /** The first publication that showed a version's present retirement step; undefined where it was not shown yet. */
  firstShown(service: ServiceName, version: VersionName): Shown | undefined {
    return this.#shown.get(`${service} ${version}`);
  }

  /** The first publication that showed a service's routes as they are now, endpoints aside; undefined before one did. */
  routesShown(service: ServiceName): number | undefined {
    return this.#shownRoutes.get(service)?.publication;
  }

  #gatewayWishes(): readonly GatewayWish[] {
    const records = this.#ledger.records();
    return this.table.services.flatMap((routes): readonly GatewayWish[] => {
      const { service } = routes;
      const spec = records.get(service)?.spec.runtime;
      return spec?.kind === 'kubernetes' && spec.gatewayApi !== undefined ? [{ service, spec, routes }] : [];
    });
  }

  /** Of most services nothing was built anew: those are passed over. */
  #noteRoutes(): void {
    for (const routes of this.table.services) {
      const shown = this.#shownRoutes.get(routes.service);
      if (shown?.routes === routes) continue;
      const { service, defaultRoute, versions, cohort, mirror } = routes;
      this.#noteOffDefault(routes);
      const access = versions.map((version) => [version.version, version.access]);
      const text = JSON.stringify({ defaultRoute, cohort, mirror, access });
      const publication = shown?.text === text ? shown.publication : this.#number;
      this.#shownRoutes.set(service, { routes, text, publication });
    }
  }

  #noteOffDefault({ service, versions, defaultRoute, holds }: ServiceRoutes): void {
    for (const { version } of versions) {
      const key = `${service} ${version}`;
      const isRouted = receives(defaultRoute, version) || holds.some((hold) => hold.version === version);
      if (isRouted) this.#offDefault.delete(key);
      else if (!this.#offDefault.has(key)) this.#offDefault.set(key, this.#number);
    }
  }

  #noteRetirements(): void {
    for (const record of this.#ledger.records().values()) {
      if (this.#noted.get(record.name) === record) continue;
      this.#noted.set(record.name, record);
      for (const { name, retirement } of record.versions) {
        const key = `${record.name} ${name}`;
        if (retirement === undefined) this.#shown.delete(key);
        else if (this.#shown.get(key)?.step !== retirement.step) {
          this.#shown.set(key, { step: retirement.step, publication: this.#number });
        }
      }
    }
  }
}

/** Whether requests without a pin reach the version. */
function receives(route: DefaultRoute, version: VersionName): boolean {
  switch (route.kind) {
    case 'Unavailable':
      return false;
    case 'Single':
      return route.version === version;
    case 'Split':
      return route.primary === version || route.candidate === version;
  }
}
