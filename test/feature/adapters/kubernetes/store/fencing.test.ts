// A leader that was stopped between two requests and wakes when another one leads changes nothing, although it still believes
// that it leads: the server refuses each of its writes.
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Leadership } from '../../../../../src/adapters/kubernetes/client/leader-election.ts';
import { openKubernetesStore } from '../../../../../src/adapters/kubernetes/store/store.ts';
import { serviceName } from '../../../../../src/model/names.ts';
import { type Commit, NotLeaderError, type Store } from '../../../../../src/ports/store.ts';
import { type Intervene, intervened } from '../../../../support/kubernetes/intervened.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { leaderOptions, openedStore } from '../../../../support/kubernetes/stores.ts';
import { recordWith, rolloutRecord } from '../../../../support/stored-history.ts';
import { serviceRecord } from '../../../../support/stored-records.ts';

const alpha = serviceName('alpha');
const record = (name: string, generation: number, document: string) =>
  serviceRecord({ name, generation, document });
const rollout = rolloutRecord({ service: 'alpha' });
const INITIAL = [record('alpha', 1, ''), record('beta', 1, '')];

/** What the old leader is at when it is stopped. */
const CHANGES: Readonly<Record<string, Commit>> = {
  'one service': { services: [record('alpha', 2, 'old')] },
  'several services': { services: [record('alpha', 2, 'old'), record('beta', 2, 'old')] },
  'a new service': { services: [record('gamma', 1, 'old')] },
  'a deletion': { deletions: [{ name: alpha, generation: 1 }] },
  'more numbers': { nextPublication: 50_000, services: [record('beta', 2, 'old')] },
  'a roll': {
    services: [recordWith(rollout, 2)],
    rolls: [{ rollout: rollout.id, roll: { kind: 'counted', fixedAt: rollout.since, tenants: [] } }],
  },
};
/** No change asks more often. */
const MOST_REQUESTS = 12;

/** Stops before the request of this number, until it is let go on. */
function stoppedAt(number: number): {
  readonly intervene: Intervene;
  readonly stopped: Promise<void>;
  goOn(): void;
  begin(): void;
} {
  const stopped = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let left = Number.POSITIVE_INFINITY;
  return {
    stopped: stopped.promise,
    goOn: () => gate.resolve(),
    begin: () => (left = number),
    async intervene(_, carryOut) {
      left -= 1;
      if (left === 0) {
        stopped.resolve();
        await gate.promise;
      }
      return carryOut();
    },
  };
}

async function holding(store: Store): Promise<object> {
  const { services } = await store.load();
  return services;
}

describe.each(Object.entries(CHANGES))('stopped in a change of %s', (_, change) => {
  test('at any request, it changes nothing of what its successor has written since', async () => {
    let wasStopped = 0;
    for (let at = 1; at <= MOST_REQUESTS; at++) {
      const server = new SimulatedServer();
      const pause = stoppedAt(at);
      const old = await openedStore(intervened(server.connect(), pause.intervene));
      await old.store.commit({ services: INITIAL });
      pause.begin();
      const outcome = old.store.commit(change).then(
        () => 'done' as const,
        (error: unknown) => error,
      );
      const first = await Promise.race([outcome, pause.stopped]);
      if (first === 'done') break;
      wasStopped += 1;

      const { store } = await openedStore(server.connect(), { term: 1 });
      const found = (await store.load()).services;
      const services = found.map(({ name, generation }) => record(name, generation + 1, 'new'));
      await store.commit({ services });
      pause.goOn();
      const ended = await outcome;
      // It may say that it is done only where its successor has found it so.
      const wasDecided = !isDeepStrictEqual(found, INITIAL);
      expect(ended !== 'done' || wasDecided).toBe(true);
      expect(await holding(store)).toEqual(services);
      await store.commit({ nextPublication: 200_000 });
      const { store: third } = await openedStore(server.connect(), { term: 2 });
      expect(await holding(third)).toEqual(services);
    }
    expect(wasStopped).toBeGreaterThan(0);
    expect(wasStopped).toBeLessThan(MOST_REQUESTS);
  });
});

test('stopped at any request of its beginning, it does not lead over its successor', async () => {
  const MOST_REQUESTS_OF_A_BEGINNING = 30;
  let wasStopped = 0;
  for (let at = 1; at <= MOST_REQUESTS_OF_A_BEGINNING; at++) {
    const server = new SimulatedServer();
    const { store: first } = await openedStore(server.connect());
    await first.commit({ services: INITIAL });
    const pause = stoppedAt(at);
    pause.begin();
    // Its clock went on while it was stopped, so it learns of it when it looks: not before the request that it was at.
    let leadership: Leadership = { kind: 'Leading', term: 1 };
    const opening = openKubernetesStore({
      ...leaderOptions(intervened(server.connect(), pause.intervene)),
      leadership: () => leadership,
    }).then(
      (store) => store,
      (error: unknown) => error as Error,
    );
    if ((await Promise.race([opening, pause.stopped])) !== undefined) break;
    wasStopped += 1;
    const { store } = await openedStore(server.connect(), { term: 2 });
    await store.commit({ services: [record('alpha', 2, 'new')] });
    leadership = { kind: 'Following', leader: '' };
    pause.goOn();
    expect(await opening).toBeInstanceOf(NotLeaderError);
    await store.commit({ services: [record('alpha', 3, 'newer')] });
    expect((await store.load()).services.map(({ document }) => document)).toEqual(['newer', '']);
  }
  expect(wasStopped).toBeGreaterThan(5);
  expect(wasStopped).toBeLessThan(MOST_REQUESTS_OF_A_BEGINNING);
});
