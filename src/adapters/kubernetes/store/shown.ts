/** Which generation of each service a follower shows: a pure step from what it showed and what its caches hold now. */
import type { ServiceName } from '../../../model/names.ts';
import type { Routing } from './routing-object.ts';

export interface Shown {
  readonly routings: ReadonlyMap<ServiceName, Routing>;
  /** Services that are recorded, and not known whole. */
  readonly incomplete: readonly ServiceName[];
  /** Services whose objects are older than what is shown: that is no work of the controller. */
  readonly older: readonly ServiceName[];
  /** All changes up to this number are shown; 0 where none has one. It does not go back. */
  readonly publication: number;
}

export const NOTHING_SHOWN: Shown = { routings: new Map(), incomplete: [], older: [], publication: 0 };

/**
 * A service is shown while the counters list it: an object that is gone was not deleted by the controller, so what was shown
 * of it stays. A generation that was written together with others is shown when those are there too.
 */
export function nextShown(of: {
  readonly before: Shown;
  /** As the cache has them now. */
  readonly routings: ReadonlyMap<ServiceName, Routing>;
  /** As the counters have them now. */
  readonly services: readonly ServiceName[];
  /** The number of the newest deletion of which it is known that all before it has come; 0: of none. */
  readonly lastDeletion: number;
}): Shown {
  const { before, routings, services, lastDeletion } = of;
  const shown = new Map<ServiceName, Routing>();
  const older: ServiceName[] = [];
  for (const name of services) {
    const known = before.routings.get(name);
    const fresh = routings.get(name);
    const goesBack = fresh !== undefined && isOlder(fresh, known);
    if (goesBack) older.push(name);
    const takesFresh = fresh !== undefined && !goesBack && isWhole(fresh, routings);
    const routing = takesFresh ? fresh : known;
    if (routing !== undefined) shown.set(name, routing);
  }
  return {
    routings: shown,
    incomplete: services.filter((name) => !shown.has(name)),
    older,
    publication: Math.max(before.publication, publicationShown({ shown, routings, older, lastDeletion })),
  };
}

/** All changes up to it are shown; 0 where that is not known. */
function publicationShown(of: {
  readonly shown: ReadonlyMap<ServiceName, Routing>;
  readonly routings: ReadonlyMap<ServiceName, Routing>;
  readonly older: readonly ServiceName[];
  readonly lastDeletion: number;
}): number {
  const { shown, routings, older, lastDeletion } = of;
  // What is kept although its object is gone may have been deleted, and made anew since.
  if ([...shown.keys()].some((name) => !routings.has(name))) return 0;
  const waiting = [...routings].filter(([name, fresh]) => shown.get(name) !== fresh && !older.includes(name));
  return Math.min(
    Math.max(lastDeletion, ...publicationsOf(shown.values())),
    ...publicationsOf(waiting.map(([, fresh]) => fresh)).map((publication) => publication - 1),
  );
}

function publicationsOf(routings: Iterable<Routing>): readonly number[] {
  return [...routings].map(({ publication }) => publication);
}

/** Of the same object: one that was put back from a backup is another one. */
function isOlder(fresh: Routing, known: Routing | undefined): boolean {
  if (known === undefined || known.uid !== fresh.uid) return false;
  return fresh.term < known.term || fresh.record.generation < known.record.generation;
}

/** A companion that is deleted is taken from what names it first, and records reach us in the order of their writes. */
function isWhole({ together }: Routing, routings: ReadonlyMap<ServiceName, Routing>): boolean {
  return together.every(({ service, generation }) => {
    const companion = routings.get(service);
    return companion !== undefined && companion.record.generation >= generation;
  });
}
