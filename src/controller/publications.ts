/**
 * Turns records and instances into the routing table and publishes it when it changed. Routes of a service are
 * rebuilt only when its record or its instances changed, so work per change grows with the change.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { Retirement, ServiceRecord } from '../model/state.ts';
import type { DefaultRoute, RoutingTable, ServiceRoutes } from '../model/table.ts';
import type { Publisher } from '../ports/publisher.ts';
import { compareText } from '../routing/compare.ts';
import { serviceRoutes } from '../routing/table.ts';
import type { Ledger } from './ledger.ts';

/** A retirement step of a version with the first publication that showed it to proxies. */
interface Shown {
  readonly step: Retirement['step'];
  readonly publication: number;
}

/** Routes with what they were built from. */
interface BuiltRoutes {
  readonly record: ServiceRecord;
  /** The routes as text, to compare contents. */
  readonly text: string;
  readonly routes: ServiceRoutes;
}

export class Publications {
  readonly #ledger: Ledger;
  readonly #publisher: Publisher;
  readonly #instancesOf: (record: ServiceRecord) => readonly Instance[];
  readonly #routes = new Map<ServiceName, BuiltRoutes>();
  readonly #changedInstances = new Set<ServiceName>();
  readonly #shown = new Map<string, Shown>();
  readonly #offDefault = new Map<string, number>();
  readonly #shownRoutes = new Map<ServiceName, { readonly text: string; readonly publication: number }>();
  #table: RoutingTable = { services: [] };
  #number = 0;
  #open = false;

  constructor(options: {
    ledger: Ledger;
    publisher: Publisher;
    instancesOf: (record: ServiceRecord) => readonly Instance[];
  }) {
    this.#ledger = options.ledger;
    this.#publisher = options.publisher;
    this.#instancesOf = options.instancesOf;
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
    return this.#table;
  }

  /** The number of the last publication; 0 before the first. */
  get number(): number {
    return this.#number;
  }

  /** Says that a service's instances are no longer those that its routes were built from. */
  instancesChanged(service: ServiceName): void {
    this.#changedInstances.add(service);
  }

  /** Publishes at once if the table changed. Returns the number of the publication that shows what is recorded now. */
  publish(): number {
    if (!this.#open) return this.#number;
    const changed = this.#rebuild();
    if (changed || this.#number === 0) {
      const number = this.#ledger.takeNumber();
      this.#publisher.publish({ number, table: this.#table });
      this.#number = number;
    }
    this.#noteRetirements();
    this.#noteOffDefault();
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

  #rebuild(): boolean {
    const records = this.#ledger.records();
    let changed = false;
    for (const name of this.#routes.keys()) {
      if (records.has(name)) continue;
      this.#routes.delete(name);
      changed = true;
    }
    for (const record of records.values()) {
      const built = this.#routes.get(record.name);
      if (built?.record === record && !this.#changedInstances.has(record.name)) continue;
      const routes = serviceRoutes(record, this.#instancesOf(record));
      const text = JSON.stringify(routes);
      const isSame = built?.text === text;
      this.#routes.set(record.name, { record, text, routes: isSame ? built.routes : routes });
      changed ||= !isSame;
    }
    this.#changedInstances.clear();
    if (changed) {
      this.#table = {
        services: [...this.#routes.values()]
          .map(({ routes }) => routes)
          .toSorted((left, right) => compareText(left.service, right.service)),
      };
    }
    return changed;
  }

  #noteOffDefault(): void {
    for (const { service, versions, defaultRoute, holds } of this.#table.services) {
      for (const { version } of versions) {
        const key = `${service} ${version}`;
        const isRouted = receives(defaultRoute, version) || holds.some((hold) => hold.version === version);
        if (isRouted) this.#offDefault.delete(key);
        else if (!this.#offDefault.has(key)) this.#offDefault.set(key, this.#number);
      }
    }
  }

  #noteRoutes(): void {
    for (const { service, defaultRoute, versions, cohort, mirror } of this.#table.services) {
      const access = versions.map((version) => [version.version, version.access]);
      const text = JSON.stringify({ defaultRoute, cohort, mirror, access });
      if (this.#shownRoutes.get(service)?.text === text) continue;
      this.#shownRoutes.set(service, { text, publication: this.#number });
    }
  }

  #noteRetirements(): void {
    for (const record of this.#ledger.records().values()) {
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
