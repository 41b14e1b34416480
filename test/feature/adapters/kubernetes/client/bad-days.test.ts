/**
 * What clients of API servers have tripped over elsewhere (docs/decisions/0009), on the wire, with a server that does it on purpose. What a
 * real one shows is in test/kubernetes/client.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../../../src/adapters/clock.ts';
import { KubernetesApi } from '../../../../../src/adapters/kubernetes/client/api.ts';
import { CONFIG_MAP } from '../../../../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../../../../src/adapters/kubernetes/client/objects.ts';
import {
  Reflector,
  type ReflectorOptions,
  sourceOf,
} from '../../../../../src/adapters/kubernetes/client/reflector.ts';
import type { Milliseconds } from '../../../../../src/model/instant.ts';
import {
  type Answer,
  emptyList,
  type ScriptedServer,
  scriptedServer,
  status,
  watching,
} from '../../../../support/kubernetes/scripted-server.ts';

const PLACE = { namespace: 'shop', name: 'one' };

function configMap(resourceVersion: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...PLACE, resourceVersion } };
}

interface Following extends ScriptedServer {
  readonly reflector: Reflector<KubernetesObject>;
  readonly changes: (readonly string[])[];
  readonly failures: { readonly message: string; readonly retryIn: Milliseconds }[];
}

/** A reflector that waits for nothing, at a server that answers so. */
async function following(
  answers: readonly [Answer, ...Answer[]],
  options: Partial<Pick<ReflectorOptions<KubernetesObject>, 'onChange'>> = {},
): Promise<Following> {
  const server = await scriptedServer(answers);
  const changes: (readonly string[])[] = [];
  const failures: Following['failures'] = [];
  const reflector = new Reflector<KubernetesObject>({
    source: sourceOf(new KubernetesApi(server.config), { kind: CONFIG_MAP, namespace: 'shop' }),
    clock: { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    random: () => 0,
    onChange: (keys) => changes.push(keys),
    observer: {
      failed: (error, retryIn) => failures.push({ message: (error as Error).message, retryIn }),
    },
    ...options,
  });
  onTestFinished(() => reflector.stop());
  return { ...server, reflector, changes, failures };
}

function paths({ asked }: ScriptedServer): readonly string[] {
  return asked.map(({ url = '' }) => (url.includes('watch=true') ? `watch ${versionIn(url)}` : 'list'));
}

const versionIn = (url: string): string =>
  new URL(url, 'http://server').searchParams.get('resourceVersion') ?? '';

describe('a request', () => {
  test('that is refused is an error with the reason, the fields and the pause of the Status in its body', async () => {
    const { config } = await scriptedServer([
      status(422, {
        reason: 'Invalid',
        message: 'no',
        details: { retryAfterSeconds: 7, causes: [{ field: 'spec.version', message: 'is missing' }] },
      }),
    ]);
    await expect(new KubernetesApi(config).get(CONFIG_MAP, PLACE)).rejects.toMatchObject({
      code: 422,
      reason: 'Invalid',
      message: 'GET /api/v1/namespaces/shop/configmaps/one: no',
      causes: [{ field: 'spec.version', message: 'is missing' }],
      retryAfter: 7_000,
    });
  });

  test('that is answered with something else than a Status, or than JSON, is an error that shows it', async () => {
    const html: Answer = (response) => response.writeHead(502).end('<html>bad gateway</html>');
    const text: Answer = (response) => response.end('hello');
    const { config } = await scriptedServer([html, text]);
    const api = new KubernetesApi(config);
    await expect(api.get(CONFIG_MAP, PLACE)).rejects.toThrow('status 502: <html>bad gateway</html>');
    await expect(api.get(CONFIG_MAP, PLACE)).rejects.toThrow('the answer is no JSON: hello');
  });

  test('to a connection that is half open ends when nothing is heard, before and within its answer', async () => {
    const silent: Answer = () => undefined;
    const { config } = await scriptedServer([silent, watching([{ type: 'BOOKMARK' }], 'stays open')]);
    const api = new KubernetesApi(config);
    const ask = { method: 'GET', path: '/' } as const;
    await expect(api.open(ask, 50)).rejects.toThrow('GET /: nothing was heard for 0.05 s');
    const response = await api.open(ask, 50);
    const read = async (): Promise<void> => {
      for await (const _ of response) continue;
    };
    await expect(read()).rejects.toThrow('GET /: nothing was heard for 0.05 s');
  });

  test('whose connection is reset within its answer is an error for whoever reads it, and for nobody else', async () => {
    const reset: Answer = (response) => {
      response.writeHead(200).flushHeaders();
      setImmediate(() => response.socket?.resetAndDestroy());
    };
    const { config } = await scriptedServer([reset]);
    await expect(new KubernetesApi(config).get(CONFIG_MAP, PLACE)).rejects.toThrow(/aborted|ECONNRESET/);
  });

  test('leaves no connection behind, however often it fails', async () => {
    const server = await scriptedServer([status(500)]);
    const api = new KubernetesApi(server.config);
    for (let count = 0; count < 50; count += 1) await api.get(CONFIG_MAP, PLACE).catch(() => undefined);
    expect(server.asked).toHaveLength(50);
    expect(await server.connections()).toBeLessThanOrEqual(1);
  });

  test('of an apply says so in its media type, with the manager and without force unless it is asked for', async () => {
    const { config, asked } = await scriptedServer([(response) => response.end('{}')]);
    const change = { object: configMap('1'), manager: 'switchyard', force: false } as const;
    await new KubernetesApi(config).apply(CONFIG_MAP, PLACE, change);
    expect(asked[0]).toMatchObject({
      method: 'PATCH',
      url: '/api/v1/namespaces/shop/configmaps/one?fieldManager=switchyard&force=false',
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
  });
});

describe('a token in a file', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('that the kubelet has renewed is the one that is sent, a minute later at the latest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-token-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first');
    const { config, asked } = await scriptedServer([(response) => response.end('{}')], {
      authProvider: { name: 'tokenFile', config: { tokenFile } },
    });
    const api = new KubernetesApi(config);
    await api.get(CONFIG_MAP, PLACE);
    await writeFile(tokenFile, 'second');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    await api.get(CONFIG_MAP, PLACE);
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer second']);
  });
});

describe('a watch', () => {
  test('asks for bookmarks and for an end, and goes on from the last bookmark', async () => {
    const server = await following([
      emptyList('10'),
      watching([{ type: 'BOOKMARK', object: { metadata: { resourceVersion: '25' } } }], 'ends'),
      watching([], 'stays open'),
    ]);
    await server.reflector.start();
    await vi.waitFor(() => expect(paths(server)).toEqual(['list', 'watch 10', 'watch 25']));
    const query = new URL(server.asked[1]?.url ?? '', 'http://server').searchParams;
    expect(query.get('allowWatchBookmarks')).toBe('true');
    expect(Number(query.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(server.changes).toEqual([[]]);
  });

  test('that tells of a fault of the server, and not of an old version, is a failure that is told, and goes on', async () => {
    const fault = { kind: 'Status', code: 500, message: 'etcd has no leader' };
    const server = await following([
      emptyList('10'),
      watching([{ type: 'ERROR', object: fault }], 'stays open'),
      watching([{ type: 'ADDED', object: configMap('11') }], 'stays open'),
    ]);
    await server.reflector.start();
    await vi.waitFor(() => expect([...server.reflector.objects.keys()]).toEqual(['shop/one']));
    expect(server.failures).toEqual([
      {
        message: expect.stringContaining('etcd has no leader') as string,
        retryIn: expect.any(Number) as number,
      },
    ]);
    expect(paths(server)).toEqual(['list', 'watch 10', 'watch 10']);
  });

  test('whose version is too old lists anew; a server that says so for ever is asked ever more slowly', async () => {
    const old = watching(
      [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }],
      'ends',
    );
    const answers = Array.from({ length: 6 }, () => [emptyList('10'), old]).flat();
    const server = await following([emptyList('10'), old, ...answers, watching([], 'stays open')]);
    await server.reflector.start();
    await vi.waitFor(() => expect(server.failures.length).toBeGreaterThan(4));
    const waits = server.failures.map(({ retryIn }) => retryIn);
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    expect(new Set(waits).size).toBeGreaterThan(2);
    expect(paths(server).slice(0, 4)).toEqual(['list', 'watch 10', 'list', 'watch 10']);
  });

  test.each([
    ['that is no JSON', '{"type": "ADD', 'JSON'],
    ['of a type that is not known', { type: 'MERGED', object: configMap('11') }, 'the unknown type "MERGED"'],
  ])('with a line %s is a failure that is told, and not passed over', async (_, line, told) => {
    const server = await following([
      emptyList('10'),
      watching([line], 'stays open'),
      watching([{ type: 'ADDED', object: configMap('12') }], 'stays open'),
    ]);
    await server.reflector.start();
    await vi.waitFor(() => expect(server.reflector.objects.size).toBe(1));
    expect(server.failures.map(({ message }) => message)).toEqual([expect.stringContaining(told)]);
  });

  test('that the server ends at once, again and again, is a failure: it is asked ever more slowly', async () => {
    const ends = watching([], 'ends');
    const server = await following([
      emptyList('10'),
      ends,
      ends,
      ends,
      emptyList('10'),
      watching([], 'stays open'),
    ]);
    await server.reflector.start();
    await vi.waitFor(() => expect(paths(server).at(-1)).toBe('watch 10'));
    await vi.waitFor(() =>
      expect(paths(server)).toEqual(['list', ...Array(3).fill('watch 10'), 'list', 'watch 10']),
    );
  });

  test('whose objects are heard of by somebody who fails goes on, and what failed is told', async () => {
    let calls = 0;
    const onChange = (): void => {
      calls += 1;
      if (calls === 2) throw new Error('the one who listens has failed');
    };
    const server = await following(
      [
        emptyList('10'),
        watching([{ type: 'ADDED', object: configMap('11') }], 'stays open'),
        watching([{ type: 'MODIFIED', object: configMap('12') }], 'stays open'),
      ],
      { onChange },
    );
    await server.reflector.start();
    await vi.waitFor(() => expect(calls).toBe(3));
    expect(server.failures.map(({ message }) => message)).toEqual(['the one who listens has failed']);
    expect(server.reflector.objects.get('shop/one')?.metadata.resourceVersion).toBe('12');
  });

  test('that is listed anew tells of nothing that has not changed', async () => {
    const old = watching(
      [{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }],
      'ends',
    );
    const server = await following([
      emptyList('10', [configMap('9')]),
      old,
      emptyList('20', [configMap('9')]),
      watching([], 'stays open'),
    ]);
    await server.reflector.start();
    await vi.waitFor(() => expect(paths(server)).toEqual(['list', 'watch 10', 'list', 'watch 20']));
    expect(server.changes).toEqual([['shop/one']]);
  });

  test('that a busy server refuses waits for as long as it says', async () => {
    const busy = status(429, { message: 'storage is (re)initializing', details: { retryAfterSeconds: 60 } });
    const server = await following([busy, emptyList('10'), watching([], 'stays open')]);
    await server.reflector.start();
    expect(server.failures).toEqual([
      { message: expect.stringContaining('storage is (re)initializing') as string, retryIn: 60_000 },
    ]);
  });
});
