// The incremental dialect, rule by rule: D1 to D11 of docs/xds-conformance.md.
import { describe, expect, test } from 'vitest';
import { only, Script, scene } from '../../support/xds-script.ts';

const AB = scene({ clusters: { a: '1', b: '1' }, routes: ['a'] });

function versionsOf(script: Script, type: 'clusters' | 'listeners'): Record<string, string> {
  const resources = script.session.target?.sets[type].resources ?? new Map();
  return Object.fromEntries([...resources].map(([name, { version }]) => [name, version as string]));
}

describe('a delta subscription', () => {
  test('D1: is answered for every name, though the proxy may have it; what does not exist comes as removed', () => {
    const script = new Script({ table: AB });
    const first = only(script.delta('endpoints', { subscribe: ['a', 'nowhere'] }));
    expect(first).toMatchObject({ names: ['a'], removed: ['nowhere'] });
    expect(script.delta('endpoints', { answers: first })).toEqual([]);
    expect(only(script.delta('endpoints', { subscribe: ['a', 'nowhere'] }))).toMatchObject({
      names: ['a'],
      removed: ['nowhere'],
    });
  });

  test('D2: without names is to all at first, and changes nothing later', () => {
    const script = new Script({ table: AB });
    const first = only(script.delta('clusters'));
    expect(first.names).toEqual(['a', 'b']);
    expect(script.delta('clusters', { answers: first })).toEqual([]);
    expect(script.delta('clusters')).toEqual([]);
    expect(only(script.publish(scene({ clusters: { a: '1', b: '2' }, routes: ['a'] }))).names).toEqual(['b']);
  });

  test('D3: to all is answered though there is nothing', () => {
    const script = new Script({ table: scene({ clusters: {} }) });
    expect(only(script.delta('clusters'))).toMatchObject({ names: [], removed: [] });
    expect(only(script.delta('listeners', { subscribe: ['*'] }))).toMatchObject({ names: [], removed: [] });
  });

  test('D4: that says what the proxy holds gets what changed and what is gone, and no more', () => {
    const script = new Script({ table: AB });
    const { a = '' } = versionsOf(script, 'clusters');
    script.delta('clusters', { initial: { a, b: 'other', gone: 'any' } });
    script.delta('listeners', { initial: versionsOf(script, 'listeners') });
    script.delta('routes', { subscribe: ['gateway'] });
    const sent = script.delta('endpoints', { subscribe: ['a', 'b'] });
    const clusters = sent.find(({ type }) => type === 'clusters');
    expect(clusters).toMatchObject({ names: ['b'], removed: [] });
    expect(sent.find(({ type }) => type === 'listeners')).toMatchObject({ names: [], removed: [] });
    // `gone` may be in use until the proxy has acknowledged routes here; then it goes.
    const after = acknowledgeAll(script, sent);
    expect(after.find(({ removed }) => removed.length > 0)).toMatchObject({
      type: 'clusters',
      removed: ['gone'],
    });
  });

  test('D4: endpoints and routes are sent again after a reconnect: a proxy may have dropped them', () => {
    const script = new Script({ table: AB });
    const version = script.session.target?.sets.endpoints.resources.get('a')?.version ?? '';
    expect(script.delta('endpoints', { subscribe: ['a'], initial: { a: version } })).toEqual([]);
    expect(only(script.event({ kind: 'BurstOver' })).names).toEqual(['a']);
  });

  test('D5: is honoured whatever the nonce, and a request without a nonce acknowledges nothing', () => {
    const script = new Script({ table: AB });
    const first = only(script.delta('endpoints', { subscribe: ['a'] }));
    expect(only(script.delta('endpoints', { subscribe: ['b'], answers: 'unknown' })).names).toEqual(['b']);
    expect(script.session.types.endpoints?.acknowledged.size).toBe(0);
    script.delta('endpoints', { answers: first });
    expect([...(script.session.types.endpoints?.acknowledged.keys() ?? [])]).toEqual(['a']);
  });

  test('D6: may come with an acknowledgement or a rejection', () => {
    const script = new Script({ table: AB });
    const first = only(script.delta('endpoints', { subscribe: ['a'] }));
    const second = only(script.delta('endpoints', { answers: first, subscribe: ['b'] }));
    expect(second.names).toEqual(['b']);
    expect(
      only(script.delta('endpoints', { answers: second, error: 'bad', subscribe: ['c'] })).removed,
    ).toEqual(['c']);
    expect(script.session.types.endpoints?.rejection?.message).toBe('bad');
  });

  test('D7: ends without an answer, unless the wildcard still covers the name', () => {
    const script = new Script({ table: AB });
    const named = only(script.delta('endpoints', { subscribe: ['a'] }));
    script.delta('endpoints', { answers: named });
    expect(script.delta('endpoints', { unsubscribe: ['a', 'never-asked'] })).toEqual([]);
    const both = only(script.delta('clusters', { subscribe: ['*', 'a', 'ghost'] }));
    expect(both).toMatchObject({ names: ['a', 'b'], removed: ['ghost'] });
    script.delta('clusters', { answers: both });
    expect(only(script.delta('clusters', { unsubscribe: ['a', 'ghost'] }))).toMatchObject({
      names: ['a'],
      removed: ['ghost'],
    });
  });

  test('D11: may come at any time, and is answered at once, also while a response is under way', () => {
    const script = new Script({ table: AB });
    only(script.delta('endpoints', { subscribe: ['a'] }));
    expect(only(script.delta('endpoints', { subscribe: ['b'] })).names).toEqual(['b']);
    expect(only(script.delta('endpoints', { subscribe: ['z'] })).removed).toEqual(['z']);
  });
});

describe('a delta response', () => {
  test('D8: carries only what changed, each with its own version', () => {
    const script = new Script();
    script.start('delta', AB);
    const before = versionsOf(script, 'clusters');
    const sent = script.publish(scene({ clusters: { a: '2', b: '1' }, routes: ['a'] }));
    expect(sent.find(({ type }) => type === 'clusters')).toMatchObject({ names: ['a'], removed: [] });
    const after = versionsOf(script, 'clusters');
    expect(after['b']).toBe(before['b']);
    expect(after['a']).not.toBe(before['a']);
  });

  test('D9: names deleted clusters and listeners; of endpoints and routes the parent decides', () => {
    const script = new Script();
    script.start('delta', AB);
    const sent = script.publish(scene({ clusters: { a: '1' } }));
    expect(sent.map(({ type, names, removed }) => ({ type, names, removed }))).toEqual([
      { type: 'clusters', names: [], removed: ['b'] },
      { type: 'listeners', names: [], removed: ['gateway'] },
    ]);
  });

  test('D9: an old Envoy that names what it holds when it reconnects still means all', () => {
    const script = new Script({ table: AB });
    const { a = '' } = versionsOf(script, 'clusters');
    script.delta('clusters', { subscribe: ['a'], initial: { a } });
    expect(only(script.event({ kind: 'BurstOver' }))).toMatchObject({ names: ['b'] });
  });

  test('a rejected version of a resource is not sent again, while others of its type go on', () => {
    const script = new Script();
    script.start('delta', AB);
    const refused = only(script.publish(scene({ clusters: { a: '1', b: '1', c: 'odd' }, routes: ['a'] })));
    script.delta('clusters', { answers: refused, error: 'odd' });
    const next = script.publish(scene({ clusters: { a: '1', b: '1', c: 'odd', d: '1' }, routes: ['a'] }));
    expect(only(next)).toMatchObject({ type: 'clusters', names: ['d'] });
  });
});

/** Acknowledges what was sent, and what follows from that, until nothing more comes; returns all of it. */
function acknowledgeAll(script: Script, sent: ReturnType<Script['publish']>): ReturnType<Script['publish']> {
  const all = [...sent];
  for (let at = 0; at < all.length; at += 1) {
    const response = all[at];
    if (response !== undefined) all.push(...script.acknowledge('delta', response));
  }
  return all;
}
