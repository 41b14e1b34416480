/**
 * Builds the routing table from records and instances. Routes of a service are rebuilt only when its record or its
 * instances changed, so work per change grows with the change.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { RoutingTable, ServiceRoutes } from '../model/table.ts';
import { compareText } from '../routing/compare.ts';
import { serviceRoutes } from '../routing/table.ts';
import type { Records } from './ledger.ts';

/** Routes with what they were built from. */
interface BuiltRoutes {
  readonly record: ServiceRecord;
  /** The routes as text, to compare contents. */
  readonly text: string;
  readonly routes: ServiceRoutes;
}

/** Of the record that is shown and the one that is wanted, the one to show; the wanted one where nothing is shown. */
export type Choice = (
  shown: ServiceRecord | undefined,
  wanted: ServiceRecord,
  instances: readonly Instance[],
) => ServiceRecord;

export class Tables {
  readonly #instancesOf: (record: ServiceRecord) => readonly Instance[];
  readonly #choose: Choice;
  readonly #routes = new Map<ServiceName, BuiltRoutes>();
  readonly #changedInstances = new Set<ServiceName>();
  #table: RoutingTable = { services: [] };

  constructor(
    instancesOf: (record: ServiceRecord) => readonly Instance[],
    choose: Choice = (_shown, wanted) => wanted,
  ) {
    this.#instancesOf = instancesOf;
    this.#choose = choose;
  }

  /** The table that was built last. */
  get table(): RoutingTable {
    return this.#table;
  }

  /** Says that a service's instances are no longer those that its routes were built from. */
  instancesChanged(service: ServiceName): void {
    this.#changedInstances.add(service);
  }

  /** Builds what changed. True: the table is another one now. */
  rebuild(records: Records): boolean {
    let changed = false;
    for (const name of this.#routes.keys()) {
      if (records.has(name)) continue;
      this.#routes.delete(name);
      changed = true;
    }
    for (const wanted of records.values()) {
      const built = this.#routes.get(wanted.name);
      if (built?.record === wanted && !this.#changedInstances.has(wanted.name)) continue;
      const instances = this.#instancesOf(wanted);
      const record = this.#choose(built?.record, wanted, instances);
      const routes = serviceRoutes(record, instances);
      const text = JSON.stringify(routes);
      const isSame = built?.text === text;
      this.#routes.set(wanted.name, { record, text, routes: isSame ? built.routes : routes });
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
}
