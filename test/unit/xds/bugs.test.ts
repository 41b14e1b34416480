// The bugs that other xDS servers shipped, each by its number in docs/xds-conformance.md. Those that need a wire
// (2, 16, 20, 21, 22, 25) are in test/feature/xds/bugs.test.ts.
import { describe, expect, test } from 'vitest';
import { only, Script, scene } from '../../support/xds-script.ts';

const AB = scene({ clusters: { a: '1', b: '1' }, routes: ['a'] });

describe.each(['sotw', 'delta'] as const)('over %s', (dialect) => {
  test('bug 3: endpoints are sent again for each cluster that changed, or it would warm for ever', () => {
    const script = new Script();
    script.start(dialect, AB);
    const sent = script.publish(scene({ clusters: { a: '2', b: '1' }, routes: ['a'] }));
    expect(sent.map(({ type, names }) => `${type} ${names.filter((name) => name === 'a').join()}`)).toEqual([
      'clusters a',
      'endpoints a',
    ]);
  });

  test('bug 4: a cluster that was removed and comes back gets its endpoints again', () => {
    const script = new Script();
    script.start(dialect, AB);
    const removal = only(script.publish(scene({ clusters: { a: '1' }, routes: ['a'] })));
    script.acknowledge(dialect, removal);
    // Envoy gives the endpoints up with the cluster, and asks for them again when it is back.
    if (dialect === 'sotw') script.sotw('endpoints', ['a'], { answers: latest(script, 'endpoints') });
    else script.delta('endpoints', { unsubscribe: ['b'] });
    script.acknowledge(dialect, only(script.publish(AB)));
    const again =
      dialect === 'sotw'
        ? script.sotw('endpoints', ['a', 'b'], { answers: latest(script, 'endpoints') })
        : script.delta('endpoints', { subscribe: ['b'] });
    expect(only(again).names).toEqual(['b']);
  });

  test('bug 7: responses come in the same order however the requests came', () => {
    const script = new Script({ table: AB });
    const ask = {
      routes: ['gateway'],
      listeners: [],
      endpoints: ['a', 'b'],
      clusters: [],
    } as const;
    let sent: ReturnType<Script['publish']> = [];
    for (const type of ['routes', 'listeners', 'endpoints', 'clusters'] as const) {
      sent =
        dialect === 'sotw'
          ? script.sotw(type, ask[type], { version: 'any' })
          : script.delta(type, { subscribe: ask[type], initial: { any: 'any' } });
    }
    expect(sent.map(({ type }) => type)).toEqual(['clusters', 'endpoints', 'listeners']);
  });

  test('bug 17: a request is answered though a push waits for its acknowledgement', () => {
    const script = new Script();
    script.start(dialect, AB);
    const pushed = script.publish(scene({ clusters: { a: '2', b: '1' }, routes: ['a'] }));
    expect(pushed.length).toBeGreaterThan(0);
    const asked =
      dialect === 'sotw'
        ? script.sotw('routes', ['gateway'])
        : script.delta('routes', { subscribe: ['gateway'] });
    expect(only(asked).names).toEqual(['gateway']);
  });

  test('bug 19: what was due for a type is not sent after its names were given up', () => {
    const script = new Script();
    script.start(dialect, AB);
    script.blocked = new Set(['endpoints']);
    expect(script.publish(scene({ clusters: { a: '1', b: '1' }, routes: ['a'], endpoints: 2 }))).toEqual([]);
    if (dialect === 'sotw') script.sotw('endpoints', [], { answers: latest(script, 'endpoints') });
    else script.delta('endpoints', { unsubscribe: ['a', 'b'] });
    script.blocked = new Set();
    expect(script.event({ kind: 'Drained' })).toEqual([]);
  });

  test('bug 23: a rejection for a type that nobody asked for is taken as a first request', () => {
    const script = new Script({ table: AB });
    const sent =
      dialect === 'sotw'
        ? script.sotw('endpoints', ['a'], { answers: 'unknown', error: 'odd' })
        : script.delta('endpoints', { subscribe: ['a'], answers: 'unknown', error: 'odd' });
    expect(only(sent).names).toEqual(['a']);
    expect(script.session.types.endpoints?.rejection).toBeUndefined();
  });

  test('bug 24: the first request of a type on a stream is answered whatever nonce it carries', () => {
    const script = new Script({ table: AB });
    const sent =
      dialect === 'sotw'
        ? script.sotw('endpoints', ['a'], { answers: 'unknown' })
        : script.delta('endpoints', { subscribe: ['a'], answers: 'unknown' });
    expect(only(sent).names).toEqual(['a']);
  });
});

describe('over SotW', () => {
  test('bug 1: a new name at the same version is answered', () => {
    const script = new Script({ table: AB });
    const first = only(script.sotw('endpoints', ['a']));
    script.sotw('endpoints', ['a'], { answers: first, version: first.version });
    expect(
      only(script.sotw('endpoints', ['a', 'b'], { answers: first, version: first.version })).names,
    ).toEqual(['b']);
  });

  test('bug 5: names that a new server does not know yet are answered when it does', () => {
    const script = new Script({ table: scene({ clusters: {} }) });
    expect(script.sotw('routes', ['gateway'], { version: 'of another server' })).toEqual([]);
    expect(script.event({ kind: 'BurstOver' })).toEqual([]);
    expect(script.event({ kind: 'PatienceOver' })).toEqual([]);
    const sent = script.publish(scene({ clusters: {}, routes: [] }));
    expect(only(sent)).toMatchObject({ type: 'routes', names: ['gateway'] });
  });

  test('bug 6: a proxy that comes from another server while a cluster warms is not left waiting for its endpoints', () => {
    const script = new Script({ table: AB });
    script.sotw('clusters', [], { version: 'any' });
    script.sotw('endpoints', ['a', 'elsewhere'], { version: '' });
    const sent = script.event({ kind: 'BurstOver' });
    const endpoints = sent.filter(({ type }) => type === 'endpoints');
    expect(only(endpoints).names.toSorted()).toEqual(['a', 'elsewhere']);
  });

  test('bug 18: a name that does not exist is answered once, and acknowledgements are not answered', () => {
    const script = new Script({ table: AB });
    let sent = script.sotw('endpoints', ['ghost']);
    expect(only(sent).names).toEqual(['ghost']);
    sent = script.sotw('endpoints', ['ghost'], { answers: only(sent) });
    expect(sent).toEqual([]);
    const clusters = only(script.sotw('clusters', ['ghost']));
    expect(clusters.names).toEqual([]);
    expect(script.sotw('clusters', ['ghost'], { answers: clusters })).toEqual([]);
  });

  test('bug 24: a client that forgets its nonce is answered, not ignored for ever', () => {
    const script = new Script({ table: AB });
    const first = only(script.sotw('endpoints', ['a']));
    script.sotw('endpoints', [], { answers: first });
    expect(only(script.sotw('endpoints', ['a'])).names).toEqual(['a']);
  });

  test('beside the 25: the same request again, after its response was acknowledged, gets the content again', () => {
    const script = new Script({ table: AB });
    const first = only(script.sotw('endpoints', ['a']));
    script.sotw('endpoints', ['a'], { answers: first });
    expect(only(script.sotw('endpoints', ['a'], { answers: first })).names).toEqual(['a']);
  });
});

describe('over delta', () => {
  test('bug 8: a change after a response is pushed: the subscription lives on', () => {
    const script = new Script({ table: AB });
    script.delta('endpoints', { answers: only(script.delta('endpoints', { subscribe: ['a'] })) });
    for (const endpoints of [2, 3, 4]) {
      const sent = only(script.publish(scene({ clusters: { a: '1', b: '1' }, routes: ['a'], endpoints })));
      expect(sent.texts).toEqual([`a at ${endpoints}`]);
      script.delta('endpoints', { answers: sent });
    }
  });

  test('bug 9: the first wildcard is answered though it covers nothing', () => {
    expect(only(new Script({ table: scene({ clusters: {} }) }).delta('clusters')).names).toEqual([]);
  });

  test('bug 10: a name that does not exist is reported as removed, and others stay', () => {
    const script = new Script({ table: AB });
    expect(only(script.delta('endpoints', { subscribe: ['a', 'ghost'] }))).toMatchObject({
      names: ['a'],
      removed: ['ghost'],
    });
  });

  test('bug 11: * after names is all, and its end leaves the names', () => {
    const script = new Script({ table: AB });
    const named = only(script.delta('clusters', { subscribe: ['a'] }));
    expect(named.names).toEqual(['a']);
    const all = only(script.delta('clusters', { answers: named, subscribe: ['*'] }));
    expect(all.names).toEqual(['b']);
    expect(script.delta('clusters', { answers: all, unsubscribe: ['*'] })).toEqual([]);
    const sent = script.publish(scene({ clusters: { a: '2', b: '2' }, routes: ['a'] }));
    expect(only(sent).names).toEqual(['a']);
  });

  test('bug 12: what was removed while the proxy was away is removed when it is back', () => {
    const script = new Script({ table: scene({ clusters: {} }) });
    script.delta('clusters', { initial: { gone: 'any' } });
    expect(only(script.event({ kind: 'BurstOver' })).removed).toEqual(['gone']);
  });

  test('bug 13: deleted clusters and listeners are told', () => {
    const script = new Script();
    script.start('delta', AB);
    expect(script.publish(scene({ clusters: { a: '1' } })).flatMap(({ removed }) => removed)).toEqual([
      'b',
      'gateway',
    ]);
  });

  test('bug 14: a mere end of a subscription is not answered', () => {
    const script = new Script({ table: AB });
    script.delta('endpoints', { answers: only(script.delta('endpoints', { subscribe: ['a', 'b'] })) });
    expect(script.delta('endpoints', { unsubscribe: ['a'] })).toEqual([]);
  });

  test('bug 15: a request without a nonce is not an acknowledgement', () => {
    const script = new Script({ table: AB });
    script.delta('endpoints', { subscribe: ['a'] });
    script.delta('endpoints');
    expect(script.session.types.endpoints?.acknowledged.size).toBe(0);
    expect(script.session.types.endpoints?.unanswered).toHaveLength(1);
  });
});

/** The last response of a type, as far as a request needs it to answer it. */
function latest(script: Script, type: 'endpoints'): ReturnType<typeof only> {
  return { serial: script.session.types[type]?.lastSerial ?? 0 } as ReturnType<typeof only>;
}
