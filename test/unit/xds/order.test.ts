// Order per proxy, rule by rule: O1 to O14 of docs/xds-conformance.md. What needs a wire is in test/feature/xds.
import { describe, expect, test } from 'vitest';
import { checkConsistent, InconsistentError } from '../../../src/xds/snapshot.ts';
import { only, Script, scene } from '../../support/xds-script.ts';
import { translateSimulated } from '../../support/xds-simulation.ts';

const OLD = scene({ clusters: { old: '1' }, routes: ['old'] });
const BOTH = scene({ clusters: { old: '1', new: '1' }, routes: ['new'] });
const NEW = scene({ clusters: { new: '1' }, routes: ['new'], text: '2' });

const brief = (responses: ReturnType<Script['publish']>): string[] =>
  responses.map(
    ({ type, names, removed }) => `${type} ${names.join()}${removed.map((name) => ` -${name}`).join('')}`,
  );

describe('make before break', () => {
  test('O1: clusters come first, then endpoints, listeners and routes, in one burst where nothing has to wait', () => {
    const script = new Script();
    script.start('sotw', OLD);
    const table = scene({ clusters: { old: '2' }, routes: ['old'], text: '2', endpoints: 2 });
    const moved = {
      ...table,
      listeners: { ...table.listeners, another: { routes: '1', clusters: ['old'] } },
    };
    expect(script.publish(moved).map(({ type }) => type)).toEqual([
      'clusters',
      'endpoints',
      'listeners',
      'routes',
    ]);
  });

  test('O1, O2: a route waits for its cluster and the endpoints of it; the old cluster waits for the route', () => {
    const script = new Script();
    script.start('sotw', OLD);
    const clusters = script.publish(NEW);
    expect(brief(clusters)).toEqual(['clusters new,old']);
    // Envoy asks for the endpoints of the new cluster before it acknowledges the cluster.
    const endpoints = script.sotw('endpoints', ['old', 'new'], { answers: lastOf(script, 'endpoints') });
    expect(brief(endpoints)).toEqual(['endpoints new']);
    expect(script.acknowledge('sotw', only(clusters))).toEqual([]);
    const routes = script.acknowledge('sotw', only(endpoints));
    expect(brief(routes)).toEqual(['routes gateway']);
    expect(brief(script.acknowledge('sotw', only(routes)))).toEqual(['clusters new -old']);
  });

  test('O2: a rejected route keeps the old cluster, for it may still be in use', () => {
    const script = new Script();
    script.start('delta', BOTH);
    const routes = script.publish(scene({ clusters: { old: '1', new: '1' }, routes: ['old'], text: 'odd' }));
    script.delta('routes', { answers: only(routes), error: 'odd' });
    const after = script.publish(scene({ clusters: { third: '1' }, routes: ['third'] }));
    expect(brief(after)).toEqual(['clusters third']);
    expect(script.session.types.clusters?.sent.has('old')).toBe(true);
  });

  test('O3: endpoints of a cluster that nobody knows are answered as empty, so that nothing waits', () => {
    const script = new Script({ table: OLD });
    expect(only(script.sotw('endpoints', ['strange']))).toMatchObject({ names: ['strange'] });
    expect(only(new Script({ table: OLD }).delta('endpoints', { subscribe: ['strange'] })).removed).toEqual([
      'strange',
    ]);
  });

  test('O4: each type has its own versions and answers', () => {
    const script = new Script({ table: OLD });
    const clusters = only(script.sotw('clusters', []));
    const endpoints = only(script.sotw('endpoints', ['old']));
    expect(script.sotw('endpoints', ['old'], { answers: clusters })).toEqual([]);
    expect(script.session.types.endpoints?.acknowledged.size).toBe(0);
    script.sotw('endpoints', ['old'], { answers: endpoints, error: 'odd' });
    expect(script.session.types.clusters?.rejection).toBeUndefined();
  });

  test('O11: a table whose routes name a cluster that is not in it is refused, with the names', () => {
    const translation = translateSimulated(scene({ clusters: { a: '1' }, routes: ['a', 'primary'] }));
    expect(() => checkConsistent(translation)).toThrow(InconsistentError);
    expect(() => checkConsistent(translation)).toThrow(
      'routes "gateway" names "primary", which is not in clusters',
    );
  });

  test('O13: after a rejected response of clusters nothing counts as there, and nothing is removed', () => {
    const script = new Script();
    script.start('sotw', OLD);
    const clusters = only(script.publish(scene({ clusters: { new: 'odd' }, routes: ['new'] })));
    expect(clusters.names).toEqual(['new', 'old']);
    const after = script.sotw('clusters', [], { answers: clusters, error: 'odd' });
    expect(after.filter(({ type }) => type !== 'endpoints')).toEqual([]);
    const next = script.publish(scene({ clusters: { new: '2' }, routes: ['new'] }));
    expect(next.find(({ type }) => type === 'clusters')?.names).toEqual(['new', 'old']);
  });

  test('O14: a gRPC client keeps the cluster of its routes until it has acknowledged others', () => {
    const script = new Script({ table: OLD, kind: 'grpc' });
    for (const [type, name] of [
      ['listeners', 'gateway'],
      ['routes', 'gateway'],
      ['clusters', 'old'],
      ['endpoints', 'old'],
    ] as const) {
      script.acknowledge('sotw', only(script.sotw(type, [name])));
    }
    const routes = script.publish(NEW);
    expect(brief(routes)).toEqual(['routes gateway']);
    // It asks for the new cluster and still names the old one.
    const asked = script.sotw('clusters', ['old', 'new'], { answers: lastOf(script, 'clusters') });
    expect(brief(asked)).toEqual(['clusters new,old']);
    const after = script.acknowledge('sotw', only(asked));
    expect(after).toEqual([]);
    expect(brief(script.acknowledge('sotw', only(routes)))).toEqual(['clusters new -old']);
  });
});

describe('a proxy that comes back', () => {
  test('is answered when it has asked for all four types, in order', () => {
    const script = new Script({ table: BOTH });
    expect(script.sotw('clusters', [], { version: 'any' })).toEqual([]);
    expect(script.sotw('routes', ['gateway'], { version: 'any' })).toEqual([]);
    expect(script.sotw('listeners', [], { version: 'any' })).toEqual([]);
    const sent = script.sotw('endpoints', ['new', 'old'], { version: 'any' });
    expect(sent.map(({ type }) => type)).toEqual(['clusters', 'endpoints', 'listeners']);
  });

  test('keeps a cluster whose content nobody knows any more: over SotW the routes go first', () => {
    const script = new Script({ table: scene({ clusters: { new: '1' }, routes: ['new'] }) });
    const sent = comeBack(script, ['lost', 'new']);
    expect(brief(sent)).toEqual(['endpoints new', 'listeners gateway', 'routes gateway']);
    const after = sent.flatMap((response) => script.acknowledge('sotw', response));
    // Nothing routes to the lost cluster any more, so its endpoints are answered, as empty.
    expect(brief(after)).toEqual(['clusters new', 'endpoints lost,new']);
  });

  test('and lacks a cluster of the routes: a placeholder keeps the lost one until the routes are acknowledged', () => {
    const script = new Script({ table: scene({ clusters: { new: '1' }, routes: ['new'] }) });
    const sent = comeBack(script, ['lost']);
    expect(brief(sent)).toEqual(['clusters lost,new', 'listeners gateway']);
    for (const response of sent) script.acknowledge('sotw', response);
    const endpoints = only(script.sotw('endpoints', ['lost', 'new'], { answers: 'unknown' }));
    expect(endpoints.names).toEqual(['new']);
    const routes = only(script.acknowledge('sotw', endpoints));
    const after = script.acknowledge('sotw', routes);
    expect(after.find(({ type }) => type === 'clusters')?.names).toEqual(['new']);
  });

  test('over delta is told of no removal before it has acknowledged routes', () => {
    const script = new Script({ table: scene({ clusters: { new: '1' }, routes: ['new'] }) });
    const version = script.session.target?.sets.clusters.resources.get('new')?.version ?? '';
    script.delta('clusters', { initial: { lost: 'any', new: version } });
    script.delta('listeners', { initial: { gateway: 'any' } });
    script.delta('routes', { subscribe: ['gateway'] });
    const sent = script.delta('endpoints', { subscribe: ['lost', 'new'] });
    expect(sent.find(({ type }) => type === 'clusters')).toMatchObject({ names: [], removed: [] });
  });
});

describe('a cluster with health checks', () => {
  const CHECKED = scene({ clusters: { old: '1', new: '1' }, routes: ['new'], healthChecked: ['new'] });

  test.each(['sotw', 'delta'] as const)(
    'over %s first comes without them, and with them once it is in use',
    (dialect) => {
      const script = new Script();
      script.start(dialect, OLD);
      const first = only(script.publish(CHECKED));
      expect(first.texts).toContain('new 1 first');
      script.acknowledge(dialect, first);
      const names = ['old', 'new'];
      const asked =
        dialect === 'sotw'
          ? script.sotw('endpoints', names, { answers: lastOf(script, 'endpoints') })
          : script.delta('endpoints', { subscribe: ['new'] });
      const then = script.acknowledge(dialect, only(asked));
      expect(then.map(({ type }) => type)).toEqual(['clusters', 'endpoints', 'routes']);
      expect(then[0]?.texts).toContain('new 1');
      expect(then[1]?.names).toEqual(['new']);
    },
  );

  test('is sent whole at once to a proxy that has it already', () => {
    const script = new Script({ table: CHECKED });
    const sent = comeBack(script, ['old', 'new']);
    expect(sent.find(({ type }) => type === 'clusters')?.texts).toContain('new 1');
  });
});

/** All requests of an Envoy that reconnects over SotW with these clusters. */
function comeBack(script: Script, clusters: readonly string[]): ReturnType<Script['publish']> {
  script.sotw('clusters', [], { version: 'any' });
  script.sotw('endpoints', clusters, { version: 'any' });
  script.sotw('listeners', [], { version: 'any' });
  return script.sotw('routes', ['gateway'], { version: 'any' });
}

/** The last response of a type, as far as a request needs it to answer it. */
function lastOf(script: Script, type: 'clusters' | 'endpoints') {
  return { serial: script.session.types[type]?.lastSerial ?? 0 } as ReturnType<typeof only>;
}
