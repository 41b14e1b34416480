// What a follower shows while the two streams that it follows, records and counters, reach it in any order: never half of a
// change, never an older generation, and in the end what the leader has.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CONTROLLER_STATE,
  SERVICE_ROUTING,
} from '../../../../../src/adapters/kubernetes/custom-resources.ts';
import type { StoredObject } from '../../../../../src/adapters/kubernetes/store/objects.ts';
import {
  type Routing,
  type RoutingObject,
  routingOf,
} from '../../../../../src/adapters/kubernetes/store/routing-object.ts';
import { NOTHING_SHOWN, nextShown, type Shown } from '../../../../../src/adapters/kubernetes/store/shown.ts';
import {
  COUNTERS,
  readCounters,
  type StateObject,
} from '../../../../../src/adapters/kubernetes/store/state-object.ts';
import { type ServiceName, serviceName } from '../../../../../src/model/names.ts';
import type { ServiceRecord } from '../../../../../src/model/state.ts';
import type { Commit } from '../../../../../src/ports/store.ts';
import { intervened } from '../../../../support/kubernetes/intervened.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { openedStore } from '../../../../support/kubernetes/stores.ts';
import { full, seed } from '../../../../support/seed.ts';
import { serviceRecord } from '../../../../support/stored-records.ts';

const { signal } = new AbortController();
const NAMES = ['alpha', 'beta', 'gamma'].map(serviceName);

/** Changes of one, two or three services, and deletions; each record says in its document which change wrote it. */
const anyCommits: fc.Arbitrary<readonly Commit[]> = fc
  .array(fc.record({ touched: fc.subarray(NAMES, { minLength: 1 }), deletes: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((steps) => {
    const generations = new Map<ServiceName, number>();
    return steps.map(({ touched, deletes }, number): Commit => {
      const [first] = touched;
      const generation = first === undefined ? undefined : generations.get(first);
      if (deletes && first !== undefined && generation !== undefined) {
        generations.delete(first);
        return { deletions: [{ name: first, generation }], ...numbered(number) };
      }
      const services = touched.map((name) => {
        const next = (generations.get(name) ?? 0) + 1;
        generations.set(name, next);
        return serviceRecord({ name, generation: next, document: `${number}` });
      });
      return { services, ...numbered(number) };
    });
  });

/** Under which number a change is published. */
const publicationOf = (number: number): number => 10 * (number + 1);

function numbered(number: number): Pick<Commit, 'publication' | 'nextPublication'> {
  return { publication: publicationOf(number), nextPublication: 1_000_000 * (number + 1) };
}

/** What a follower takes from the counters. */
interface Counted {
  readonly services: readonly ServiceName[];
  readonly lastDeletion: number;
  /** The how manieth write it was. */
  readonly at: number;
}

/** What a follower is told of, in the order of each stream. */
interface Streams {
  readonly records: readonly {
    readonly name: string;
    readonly routing: Routing | undefined;
    /** The how manieth write it was. */
    readonly at: number;
  }[];
  readonly counters: readonly Counted[];
}

/** All that two leaders, one after the other, write while these changes are made. */
async function writtenBy(commits: readonly Commit[]): Promise<Streams> {
  const records: { name: string; routing: Routing | undefined; at: number }[] = [];
  let writes = 0;
  const counters: Counted[] = [];
  const objects = new SimulatedServer().connect();
  const recorded = intervened(objects, async ({ kind, of, name, isRehearsal }, carryOut) => {
    const answer = await carryOut();
    if (kind === 'list' || kind === 'get' || isRehearsal) return answer;
    const at = (writes += 1);
    if (of === SERVICE_ROUTING.plural) {
      const isGone = kind === 'delete';
      const object = isGone ? undefined : await objects.get<RoutingObject>(SERVICE_ROUTING, name, signal);
      records.push({ name, routing: object === undefined ? undefined : routingOf(object), at });
    } else if (name === COUNTERS) {
      const object = await objects.get<StateObject>(CONTROLLER_STATE, name, signal);
      const { services, lastDeletion = 0 } = readCounters(object);
      counters.push({ services: services.map((service) => service.name), lastDeletion, at });
    }
    return answer;
  });
  const half = Math.ceil(commits.length / 2);
  const { store: first } = await openedStore(recorded);
  for (const commit of commits.slice(0, half)) await first.commit(commit);
  const { store: second } = await openedStore(recorded, { term: 1 });
  for (const commit of commits.slice(half)) await second.commit(commit);
  const left = await objects.list<StoredObject>(SERVICE_ROUTING, signal);
  expect(left).toHaveLength((await second.load()).services.length);
  return { records, counters };
}

/** All that is shown while both streams arrive, interleaved as `order` says: true is one more of the records. */
function shownWhile({ records, counters }: Streams, order: Iterator<boolean>): readonly Shown[] {
  const cache = new Map<ServiceName, Routing>();
  let told: Counted = { services: [], lastDeletion: 0, at: 0 };
  let position = 0;
  let said = told;
  let shown = NOTHING_SHOWN;
  const all: Shown[] = [];
  let [record, counted] = [0, 0];
  while (record < records.length || counted < counters.length) {
    const takesRecord =
      counted === counters.length || (record < records.length && order.next().value === true);
    if (takesRecord) {
      const { name, routing, at } = records[record++] ?? { name: '', routing: undefined, at: 0 };
      position = at;
      if (routing === undefined) cache.delete(serviceName(name));
      else cache.set(serviceName(name), routing);
    } else {
      told = counters[counted++] ?? told;
      if (told.lastDeletion !== said.lastDeletion || told.services.join() !== said.services.join())
        said = told;
    }
    const { services, lastDeletion } = told;
    const isLevel = position >= said.at;
    shown = nextShown({ before: shown, routings: new Map(cache), services, lastDeletion, isLevel });
    all.push(shown);
  }
  // A bookmark: all records have come.
  all.push(
    nextShown({
      before: shown,
      routings: cache,
      services: told.services,
      lastDeletion: told.lastDeletion,
      isLevel: true,
    }),
  );
  return all;
}

/** Services whose records show that they were changed together, and are not shown together. */
function halves({ routings }: Shown, commits: readonly Commit[]): readonly string[] {
  const numberOf = ({ document }: ServiceRecord): number => Number(document);
  return commits.flatMap(({ services = [] }, number) => {
    const members = services.flatMap(({ name }) => routings.get(name) ?? []).map(({ record }) => record);
    const isBegun = members.some((record) => numberOf(record) >= number);
    return isBegun
      ? members.filter((record) => numberOf(record) < number).map(({ name }) => `${name} lacks ${number}`)
      : [];
  });
}

/**
 * Changes that a follower says it shows, and does not. One whose service was deleted and made anew is not looked at: where the
 * records come first, the deletion, which the counters tell, comes after what it does not delete.
 */
function lacking({ routings, publication }: Shown, commits: readonly Commit[]): readonly string[] {
  const shownOf = (name: ServiceName): number => {
    const record = routings.get(name)?.record;
    return record === undefined ? -1 : Number(record.document);
  };
  return commits.flatMap(({ services = [], deletions = [] }, number) => {
    if (publicationOf(number) > publication) return [];
    const isLookedAt = ({ name }: { readonly name: ServiceName }): boolean =>
      !commits.some(({ deletions: gone = [] }) => gone.some((one) => one.name === name)) ||
      (deletions.some((gone) => gone.name === name) &&
        !commits.slice(number).some((later) => later.services?.some((one) => one.name === name)));
    const lacks = services.filter((one) => isLookedAt(one) && shownOf(one.name) < number);
    const keeps = deletions.filter((one) => isLookedAt(one) && shownOf(one.name) !== -1);
    return [...lacks, ...keeps].map(({ name }) => `${name} is not as ${number} left it`);
  });
}

test('a follower shows each change whole or not at all, never goes back, never says that it shows what it does not, and ends where the leader is', async () => {
  await fc.assert(
    fc.asyncProperty(anyCommits, fc.infiniteStream(fc.boolean()), async (commits, order) => {
      const streams = await writtenBy(commits);
      const all = shownWhile(streams, order);
      const seen = new Map<string, number>();
      for (const shown of all) {
        expect(halves(shown, commits)).toEqual([]);
        expect(lacking(shown, commits)).toEqual([]);
        expect(shown.older).toEqual([]);
        for (const { uid, record } of shown.routings.values()) {
          expect(record.generation).toBeGreaterThanOrEqual(seen.get(uid) ?? 0);
          seen.set(uid, record.generation);
        }
      }
      const expected = new Map<ServiceName, ServiceRecord>();
      for (const { services = [], deletions = [] } of commits) {
        for (const record of services) expected.set(record.name, record);
        for (const { name } of deletions) expected.delete(name);
      }
      const last = all.at(-1) ?? NOTHING_SHOWN;
      expect(last.incomplete).toEqual([]);
      expect(last.publication).toBe(publicationOf(commits.length - 1));
      expect(new Map([...last.routings].map(([name, { record }]) => [name, record]))).toEqual(expected);
    }),
    { numRuns: full() ? 2_000 : 150, seed: seed() },
  );
});
