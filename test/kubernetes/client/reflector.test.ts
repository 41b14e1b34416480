// A cache of a real API server's objects: complete when it says so, and the same as the server again after every fault.
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { CONFIG_MAP } from '../../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../../src/adapters/kubernetes/client/objects.ts';
import { Reflector, type Source, sourceOf } from '../../../src/adapters/kubernetes/client/reflector.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';

interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface World extends TestNamespace {
  readonly reflector: Reflector<ConfigMap>;
  readonly changes: string[][];
  /** What happens to the next calls; each is taken once. */
  readonly faults: { list: unknown[]; watch: unknown[] };
  readonly calls: { list: number; watch: number };
  readonly put: (name: string, value: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  readonly held: () => Readonly<Record<string, string | undefined>>;
}

async function world(): Promise<World> {
  const place = await testNamespace();
  const { api, namespace } = place;
  const faults: World['faults'] = { list: [], watch: [] };
  const calls = { list: 0, watch: 0 };
  const real = sourceOf<ConfigMap>(api, { kind: CONFIG_MAP, namespace, labelSelector: 'test=reflector' });
  const source: Source<ConfigMap> = {
    list(signal) {
      calls.list += 1;
      const fault = faults.list.shift();
      return fault === undefined ? real.list(signal) : Promise.reject(fault);
    },
    async *watch(from, lasting, signal) {
      calls.watch += 1;
      const fault = faults.watch.shift();
      if (fault !== undefined) throw fault;
      yield* real.watch(from, lasting, signal);
    },
  };
  const changes: string[][] = [];
  const reflector = new Reflector<ConfigMap>({
    source,
    clock: systemClock,
    random: () => 0,
    onChange: (keys) => changes.push([...keys]),
  });
  onTestFinished(() => reflector.stop());
  const object = (name: string, value: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels: { test: 'reflector' } },
    data: { value },
  });
  return {
    ...place,
    reflector,
    changes,
    faults,
    calls,
    async put(name, value) {
      await api.apply(
        CONFIG_MAP,
        { namespace, name },
        {
          object: object(name, value),
          manager: 'switchyard-cli',
          force: true,
        },
      );
    },
    async remove(name) {
      await api.delete(CONFIG_MAP, { namespace, name });
    },
    held: () =>
      Object.fromEntries(
        [...reflector.objects.values()].map(({ metadata, data }) => [metadata.name, data?.['value']]),
      ),
  };
}

describe('a reflector', () => {
  test('has everything once it says so, and follows what is made, changed and deleted', async () => {
    const { reflector, put, remove, held, changes, namespace } = await world();
    await put('a', '1');
    await put('b', '1');
    await reflector.start();
    expect(held()).toEqual({ a: '1', b: '1' });
    expect(changes).toEqual([[`${namespace}/a`, `${namespace}/b`]]);
    await put('c', '1');
    await put('a', '2');
    await remove('b');
    await eventually(() => JSON.stringify(held()) === JSON.stringify({ a: '2', c: '1' }));
    expect(reflector.standing).toMatchObject({ isSynced: true, trouble: '' });
  });

  test('reads a list that is longer than a page whole', async () => {
    const { reflector, put, held } = await world();
    await Promise.all(Array.from({ length: 620 }, (_, index) => put(`many-${index}`, String(index))));
    await reflector.start();
    expect(Object.keys(held())).toHaveLength(620);
    expect(held()['many-619']).toBe('619');
  });

  test('keeps nothing of who manages which field', async () => {
    const { reflector, put } = await world();
    await put('a', '1');
    await reflector.start();
    await put('b', '1');
    await eventually(() => reflector.objects.size === 2);
    for (const { metadata } of reflector.objects.values())
      expect(metadata).not.toHaveProperty('managedFields');
  });

  test('is synced only when the server has answered, however often it has failed before', async () => {
    const { reflector, put, held, faults, calls } = await world();
    await put('a', '1');
    faults.list.push(new Error('connect ECONNREFUSED'), tooMany(0));
    const started = reflector.start();
    await eventually(() => reflector.standing.trouble === 'connect ECONNREFUSED');
    expect(reflector.standing.isSynced).toBe(false);
    await started;
    expect(held()).toEqual({ a: '1' });
    expect(calls.list).toBe(3);
  });

  test('lists anew, at once, where the server no longer remembers', async () => {
    const { reflector, put, held, faults, calls } = await world();
    await put('a', '1');
    faults.watch.push(
      new KubernetesApiError({ code: 410, reason: 'Expired', message: 'too old resource version' }),
    );
    await reflector.start();
    await put('b', '1');
    await eventually(() => held()['b'] === '1');
    expect(calls.list).toBe(2);
  });

  test('goes on from where it was after a broken connection, without listing anew', async () => {
    const { reflector, put, held, faults, calls } = await world();
    await put('a', '1');
    faults.watch.push(new Error('read ECONNRESET'));
    await reflector.start();
    await put('b', '1');
    await eventually(() => held()['b'] === '1');
    expect(calls).toEqual({ list: 1, watch: 2 });
  });

  test('hears of what was deleted while it could not watch', async () => {
    const { reflector, put, remove, held, faults, changes, namespace } = await world();
    await put('a', '1');
    await put('b', '1');
    const gone = new KubernetesApiError({ code: 410, reason: 'Expired', message: 'too old' });
    faults.watch.push(new Error('one'), new Error('two'), gone);
    await reflector.start();
    await remove('a');
    await eventually(() => JSON.stringify(held()) === JSON.stringify({ b: '1' }));
    expect(changes.at(-1)).toEqual([`${namespace}/a`]);
  });

  test('waits as long as a server asks it to', async () => {
    const { reflector, faults, calls } = await world();
    faults.list.push(tooMany(2_000));
    const began = performance.now();
    await reflector.start();
    expect(performance.now() - began).toBeGreaterThanOrEqual(1_990);
    expect(calls.list).toBe(2);
  });
});

function tooMany(retryAfter: number): KubernetesApiError {
  return new KubernetesApiError({ code: 429, reason: 'TooManyRequests', message: 'try later', retryAfter });
}
