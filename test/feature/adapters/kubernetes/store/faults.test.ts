// An API server that answers late, wrongly or not at all.
import { describe, expect, test, vi } from 'vitest';
import { KubernetesApiError } from '../../../../../src/adapters/kubernetes/client/api-error.ts';
import {
  CONTROLLER_STATE,
  SERVICE_ROUTING,
} from '../../../../../src/adapters/kubernetes/custom-resources.ts';
import {
  StoreRejectedError,
  StoreUnavailableError,
} from '../../../../../src/adapters/kubernetes/store/errors.ts';
import type { RoutingObject } from '../../../../../src/adapters/kubernetes/store/routing-object.ts';
import type { StateObject } from '../../../../../src/adapters/kubernetes/store/state-object.ts';
import { openKubernetesStore } from '../../../../../src/adapters/kubernetes/store/store.ts';
import { serviceName } from '../../../../../src/model/names.ts';
import type { Commit } from '../../../../../src/ports/store.ts';
import { faultyStore } from '../../../../support/kubernetes/faulty-store.ts';
import { type Intervene, intervened, type Request } from '../../../../support/kubernetes/intervened.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { leaderOptions, openedStore } from '../../../../support/kubernetes/stores.ts';
import { newEvent, proxySeen, serviceRecord } from '../../../../support/stored-records.ts';

const record = (name: string, generation: number, document?: string) =>
  serviceRecord({ name, generation, ...(document === undefined ? {} : { document }) });
const events = [newEvent({ action: 'Flip', service: 'alpha' })];
const alpha = serviceName('alpha');
const { signal } = new AbortController();

const CHANGES: readonly (readonly [string, Commit])[] = [
  ['one service', { services: [record('alpha', 2)], events }],
  ['several services', { services: [record('alpha', 2), record('beta', 2)], events }],
  ['a new service', { services: [record('gamma', 1)], events }],
  ['a deletion', { deletions: [{ name: alpha, generation: 1 }], events }],
];

const status = (code: number, reason = '') =>
  new KubernetesApiError({ code, reason, message: `the server says ${code}`, retryAfter: 20 });
const broken = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

/** Lets the request of this number fail, once. */
function once(number: number, fail: <Answer>(carryOut: () => Promise<Answer>) => Promise<Answer>): Intervene {
  let left = number;
  return (_, carryOut) => {
    left -= 1;
    return left === 0 ? fail(carryOut) : carryOut();
  };
}

const FAILURES: Readonly<Record<string, <Answer>(carryOut: () => Promise<Answer>) => Promise<Answer>>> = {
  'the answer is lost': async (carryOut) => {
    await carryOut();
    throw broken();
  },
  'the request is lost': () => Promise.reject(broken()),
  'it is done, and the server says 504': async (carryOut) => {
    await carryOut();
    throw status(504, 'Timeout');
  },
  'the server says 500': () => Promise.reject(status(500, 'InternalError')),
  'the server has too much to do (429)': () => Promise.reject(status(429, 'TooManyRequests')),
  'the server says 409 for no reason': () => Promise.reject(status(409, 'Conflict')),
};

describe.each(Object.entries(FAILURES))('where %s', (_, fail) => {
  test.each(CHANGES)('at any request of a change of %s, it is made once', async (_change, commit) => {
    for (let at = 1; ; at++) {
      const { store, answer, asked, told, heal } = await faultyStore();
      answer(once(at, fail));
      const written = await store.commit(commit);
      const isOver = asked.length < at;
      heal();
      expect(written.map(({ sequence }) => sequence)).toEqual([1]);
      expect(told.events).toEqual(written);
      const { services } = await store.load();
      for (const changed of commit.services ?? []) expect(services).toContainEqual(changed);
      for (const { name } of commit.deletions ?? [])
        expect(services.map((one) => one.name)).not.toContain(name);
      expect(await store.events({ limit: 10 })).toEqual(written);
      if (isOver) break;
    }
  });
});

describe.each(Object.entries(FAILURES))('where %s', (_, fail) => {
  test('at any request of a beginning, the store is opened, and holds what was recorded', async () => {
    for (let at = 1; ; at++) {
      const server = new SimulatedServer();
      const { store } = await openedStore(server.connect());
      await store.commit({ services: [record('alpha', 1), record('beta', 1)] });
      await store.saveProxies([proxySeen({ id: 'gateway' })]);
      let asked = 0;
      const failing = once(at, fail);
      const objects = intervened(server.connect(), (request, carryOut) => {
        asked += 1;
        return failing(request, carryOut);
      });
      const { store: next } = await openedStore(objects, { term: 1 });
      const { services, proxies } = await next.load();
      expect(services).toEqual([record('alpha', 1), record('beta', 1)]);
      expect(proxies).toEqual([proxySeen({ id: 'gateway' })]);
      if (asked < at) break;
    }
  });
});

test('a write whose answer was lost is looked up before anything is sent again, and not sent again where it is there', async () => {
  const { store, answer, asked } = await faultyStore();
  await store.commit({ services: [record('alpha', 2)], events });
  asked.length = 0;
  answer(
    once(1, async (carryOut) => {
      await carryOut();
      throw broken();
    }),
  );
  await store.commit({ services: [record('alpha', 3)] });
  expect(asked.map(({ kind, name }) => `${kind} ${name}`)).toEqual(['replace alpha', 'get alpha']);
});

describe('an API server that is away', () => {
  test('refuses changes within the time that they have, and nothing is half remembered', async () => {
    const { store, answer, heal } = await faultyStore(200);
    answer(() => Promise.reject(broken()));
    const began = performance.now();
    const refused = store.commit({ services: [record('alpha', 2)], events });
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    await expect(refused).rejects.toThrow(
      /could not be reached in time, it is not known whether it was written: socket hang up/,
    );
    expect(performance.now() - began).toBeLessThan(10_000);
    await expect(store.load()).rejects.toThrow(StoreUnavailableError);
    expect(await store.events({ limit: 1 })).toEqual([]);
    heal();
    expect((await store.load()).services.map(({ generation }) => generation)).toEqual([1, 1]);
    expect(await store.commit({ services: [record('alpha', 2)], events })).toMatchObject([{ sequence: 1 }]);
  });

  test('may have made a change that it never confirmed: whoever reads again sees it', async () => {
    const { store, answer, heal } = await faultyStore(200);
    answer(async (_, carryOut) => {
      await carryOut();
      throw broken();
    });
    const refused = store.commit({ services: [record('alpha', 2)] });
    await expect(refused).rejects.toMatchObject({ name: 'StoreUnavailableError', mayBeWritten: true });
    heal();
    await expect(store.commit({ services: [record('alpha', 2)] })).rejects.toMatchObject({
      name: 'GenerationConflictError',
      expected: 1,
      actual: 2,
    });
    expect((await store.load()).services[0]?.generation).toBe(2);
  });

  test.each(CHANGES)(
    'and of a change of %s it is told what happened, once it is known',
    async (_, commit) => {
      const { store, answer, heal, told } = await faultyStore(200);
      await store.commit({ events });
      let isAway = false;
      answer(async (request, carryOut) => {
        if (isAway) throw broken();
        const answered = await carryOut();
        isAway = ['create', 'replace'].includes(request.kind) && !request.isRehearsal;
        if (isAway) throw broken();
        return answered;
      });
      await expect(store.commit(commit)).rejects.toThrow(StoreUnavailableError);
      heal();
      const { services } = await store.load();
      for (const changed of commit.services ?? []) expect(services).toContainEqual(changed);
      expect(services.some(({ name }) => commit.deletions?.[0]?.name === name)).toBe(false);
      expect(told.events.map(({ sequence }) => sequence)).toEqual([1, 2]);
    },
  );

  test('does not take back what is decided: it is in all objects as soon as the server is back', async () => {
    const { store, objects, answer, heal, told } = await faultyStore(200);
    const isDecided = ({ kind, name }: Request) => kind === 'replace' && name === 'counters';
    let isAway = false;
    answer((request, carryOut) => {
      if (isAway) return Promise.reject(broken());
      isAway = isDecided(request);
      return carryOut();
    });
    const services = [record('alpha', 2), record('beta', 2)];
    expect(await store.commit({ services, events })).toHaveLength(1);
    expect(told.troubles.join()).toMatch(/decided and not yet in all objects: ServiceRouting alpha/);
    heal();
    await vi.waitFor(
      async () => {
        const stored = await objects.list<RoutingObject>(SERVICE_ROUTING, signal);
        expect(stored.map(({ spec }) => spec.record.generation)).toEqual([2, 2]);
        const counters = await objects.get<StateObject>(CONTROLLER_STATE, 'counters', signal);
        expect(counters.spec.data).toBeUndefined();
      },
      { timeout: 10_000 },
    );
    expect((await store.load()).services).toEqual(services);
  });

  test('is asked again for a list that it has forgotten the beginning of (410)', async () => {
    const server = new SimulatedServer();
    const { store } = await openedStore(server.connect());
    await store.commit({ services: [record('alpha', 1)] });
    const objects = intervened(
      server.connect(),
      once(2, () => Promise.reject(status(410, 'Expired'))),
    );
    const { store: next } = await openedStore(objects, { term: 1 });
    expect((await next.load()).services).toHaveLength(1);
  });

  test('refuses for good what it does not allow, before anything is decided', async () => {
    const { store, answer, heal } = await faultyStore();
    answer(({ kind, isRehearsal }, carryOut) =>
      kind === 'create' && isRehearsal ? Promise.reject(status(403, 'Forbidden')) : carryOut(),
    );
    const refused = store.commit({ services: [record('alpha', 2), record('gamma', 1)] });
    await expect(refused).rejects.toThrow(StoreRejectedError);
    await expect(refused).rejects.toThrow(/refuses ServiceRouting gamma: the server says 403/);
    heal();
    expect((await store.load()).services.map(({ generation }) => generation)).toEqual([1, 1]);
  });

  test('that knows none of our kinds is told apart, with what to do', async () => {
    const objects = intervened(new SimulatedServer().connect(), ({ kind }, carryOut) =>
      kind === 'list' ? Promise.reject(status(404, 'NotFound')) : carryOut(),
    );
    await expect(openKubernetesStore(leaderOptions(objects))).rejects.toThrow(/install the definitions/);
  });
});
