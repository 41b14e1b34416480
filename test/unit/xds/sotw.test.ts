// State of the world, rule by rule: S1 to S15 of docs/xds-conformance.md. What needs a wire is in test/feature/xds.
import { describe, expect, test } from 'vitest';
import { checkConsistent, InconsistentError, nextSnapshot } from '../../../src/xds/snapshot.ts';
import { only, Script, scene } from '../../support/xds-script.ts';
import { translateSimulated } from '../../support/xds-simulation.ts';

const AB = scene({ clusters: { a: '1', b: '1' }, routes: ['a'] });

/** A client that asks for endpoints only: the simplest type with names. */
function endpointsOnly(names: readonly string[]) {
  const script = new Script({ table: AB });
  return { script, first: only(script.sotw('endpoints', names)) };
}

describe('a SotW request', () => {
  test('S2: without a nonce is answered with all that it names, whatever version it carries', () => {
    const script = new Script({ table: AB });
    const first = only(script.sotw('clusters', []));
    expect(first.names).toEqual(['a', 'b']);
    script.sotw('clusters', [], { answers: first, version: first.version });
    expect(only(script.sotw('clusters', [], { version: first.version }))).toMatchObject({
      names: ['a', 'b'],
    });
    script.reconnect();
    script.sotw('clusters', [], { version: first.version });
    expect(only(script.event({ kind: 'BurstOver' })).names).toEqual(['a', 'b']);
  });

  test('S4: with a stale nonce gets no answer, but the names that it adds are not lost', () => {
    const { script, first } = endpointsOnly(['a']);
    script.sotw('endpoints', ['a'], { answers: first });
    const push = only(script.publish(scene({ clusters: { a: '1', b: '1' }, endpoints: 2 })));
    expect(script.sotw('endpoints', ['a', 'b'], { answers: first })).toEqual([]);
    expect(only(script.sotw('endpoints', ['a', 'b'], { answers: push })).names).toEqual(['b']);
  });

  test('S5: that acknowledges gets no answer; one that adds names gets those, though the version is the same', () => {
    const { script, first } = endpointsOnly(['a']);
    expect(script.sotw('endpoints', ['a'], { answers: first, version: first.version })).toEqual([]);
    expect(only(script.sotw('endpoints', ['a', 'b'], { answers: first })).names).toEqual(['b']);
  });

  test('S6: that rejects is recorded, is not answered with the same, and the next change is sent', () => {
    const { script, first } = endpointsOnly(['a']);
    expect(script.sotw('endpoints', ['a'], { answers: first, error: 'no such thing' })).toEqual([]);
    expect(script.session.types.endpoints).toMatchObject({
      acknowledgedVersion: '',
      publication: 0,
      rejection: { message: 'no such thing', content: { version: first.version } },
    });
    expect(script.publish(scene({ clusters: { a: '1', b: '1' }, routes: ['b'] }))).toEqual([]);
    expect(only(script.publish(scene({ clusters: { a: '1', b: '1' }, endpoints: 2 }))).texts).toEqual([
      'a at 2',
    ]);
  });

  test('S6: the same content is never sent again after a rejection, not even after another one in between', () => {
    const script = new Script();
    const good = scene({ clusters: { a: '1' } });
    const bad = scene({ clusters: { a: '2' } });
    script.start('sotw', good);
    const refused = only(script.publish(bad).filter(({ type }) => type === 'clusters'));
    for (const sent of script.sotw('clusters', [], { answers: refused, error: 'bad' }))
      script.acknowledge('sotw', sent);
    const back = script.publish(good);
    expect(back.map(({ type }) => type)).toContain('clusters');
    for (const sent of back) script.acknowledge('sotw', sent);
    expect(script.publish(bad).filter(({ type }) => type === 'clusters')).toEqual([]);
  });
});

describe('versions', () => {
  test('S7: follow from content alone: the same on every server, another for every change, and back again', () => {
    const versions = (table: typeof AB) =>
      Object.fromEntries(
        Object.entries(
          nextSnapshot({
            publication: 7,
            translation: translateSimulated(table),
            previous: undefined,
          }).targetFor({
            kind: 'envoy',
          }).sets,
        ).map(([type, { version }]) => [type, version]),
      );
    const reordered = { clusters: { b: AB.clusters['b'], a: AB.clusters['a'] }, listeners: AB.listeners };
    expect(versions(reordered as typeof AB)).toEqual(versions(AB));
    const changed = versions(scene({ clusters: { a: '1', b: '1' }, routes: ['a', 'b'] }));
    expect(changed).toEqual({ ...versions(AB), routes: changed['routes'] });
    expect(changed['routes']).not.toBe(versions(AB)['routes']);
  });

  test('S9: of two resources with one name nothing is published', () => {
    const translation = translateSimulated(AB);
    const twice = { ...translation, envoy: [...translation.envoy, ...translation.envoy.slice(0, 1)] };
    expect(() => checkConsistent(twice)).toThrow(InconsistentError);
    expect(() => checkConsistent(twice)).toThrow('two clusters are named "a"');
  });
});

describe('a SotW response', () => {
  test('S8: holds all clusters, so that what is absent is deleted; of endpoints only what changed', () => {
    const script = new Script();
    script.start('sotw', scene({ clusters: { a: '1', b: '1', c: '1' }, routes: ['a'] }));
    const whole = only(script.publish(scene({ clusters: { a: '1', c: '1' }, routes: ['a'] })));
    expect(whole).toMatchObject({ type: 'clusters', names: ['a', 'c'] });
    script.acknowledge('sotw', whole);
    const parts = { clusters: { a: '1', c: '1' }, routes: ['a'] };
    const table = scene(parts);
    const moved = {
      ...table,
      clusters: { ...table.clusters, c: { content: '1', endpoints: 9, healthChecked: false } },
    };
    expect(only(script.publish(moved))).toMatchObject({ type: 'endpoints', names: ['c'] });
  });

  test('S10: names that do not exist are remembered, and sent when they appear', () => {
    const script = new Script({ table: scene({ clusters: {} }) });
    expect(script.sotw('routes', ['gateway'])).toEqual([]);
    const later = script.publish(scene({ clusters: {}, routes: [] }));
    expect(only(later)).toMatchObject({ type: 'routes', names: ['gateway'] });
  });

  test('S13: skips to the newest content when several changes came while one was under way', () => {
    const { script, first } = endpointsOnly(['a']);
    expect(script.publish(scene({ clusters: { a: '1' }, endpoints: 2 }))).toEqual([]);
    expect(script.publish(scene({ clusters: { a: '1' }, endpoints: 3 }))).toEqual([]);
    expect(only(script.sotw('endpoints', ['a'], { answers: first })).texts).toEqual(['a at 3']);
  });

  test('S14: does not come when nothing changed for this proxy, and its publication counts all the same', () => {
    const script = new Script();
    script.start('sotw', AB);
    expect(script.publish(AB)).toEqual([]);
    expect(Object.values(script.session.types).map(({ publication }) => publication)).toEqual([2, 2, 2, 2]);
  });
});

describe('a SotW subscription', () => {
  test('S11: to endpoints ends with an empty list, and nothing more is sent', () => {
    const { script, first } = endpointsOnly(['a']);
    expect(script.sotw('endpoints', [], { answers: first })).toEqual([]);
    expect(script.publish(scene({ clusters: { a: '1' }, endpoints: 2 }))).toEqual([]);
  });

  test('S12: to clusters: empty is all; * with a name is all; a name alone is that; then empty is nothing', () => {
    const script = new Script({ table: AB });
    const all = only(script.sotw('clusters', []));
    expect(all.names).toEqual(['a', 'b']);
    const both = only(script.sotw('clusters', ['*', 'a'], { answers: all }));
    expect(both.names).toEqual(['a', 'b']);
    expect(script.sotw('clusters', ['a'], { answers: both })).toEqual([]);
    expect(script.publish(scene({ clusters: { a: '1', b: '2' }, routes: ['a'] }))).toEqual([]);
    const named = only(script.publish(scene({ clusters: { a: '2', b: '2' }, routes: ['a'] })));
    expect(named.names).toEqual(['a']);
    expect(script.sotw('clusters', [], { answers: named })).toEqual([]);
    expect(script.publish(scene({ clusters: { a: '3', b: '3' }, routes: ['a'] }))).toEqual([]);
  });

  test('S12: of a gRPC client that names nothing is to nothing', () => {
    const script = new Script({ table: AB, kind: 'grpc' });
    expect(only(script.sotw('listeners', [])).names).toEqual([]);
    expect(only(script.sotw('clusters', [])).names).toEqual([]);
  });
});
