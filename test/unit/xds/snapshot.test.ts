// From a translation to what each cohort of proxies is to have.
import { describe, expect, test } from 'vitest';
import { cohortKey, cohortOf, InvalidNodeError } from '../../../src/xds/cohort.ts';
import { createFramer } from '../../../src/xds/framing.ts';
import type { Translation } from '../../../src/xds/resource.ts';
import { content } from '../../../src/xds/resource-set.ts';
import { nextSnapshot, type Snapshot } from '../../../src/xds/snapshot.ts';
import { translate } from '../../../src/xds/translate/index.ts';
import { serviceRoutes, table } from '../../support/tables.ts';
import { scene } from '../../support/xds-script.ts';
import { translateSimulated } from '../../support/xds-simulation.ts';

const ALL = { kind: 'envoy' } as const;

function next(translation: Translation, previous?: Snapshot): Snapshot {
  return nextSnapshot({ publication: (previous?.publication ?? 0) + 1, translation, previous });
}

describe('a snapshot', () => {
  test('keeps every set and resource that did not change, so that nothing new is one comparison', () => {
    const first = next(translateSimulated(scene({ clusters: { a: '1', b: '1' }, routes: ['a'] })));
    const before = first.targetFor(ALL);
    const after = next(
      translateSimulated(scene({ clusters: { a: '1', b: '2' }, routes: ['a'] })),
      first,
    ).targetFor(ALL);
    expect(after.sets.routes).toBe(before.sets.routes);
    expect(after.sets.clusters).not.toBe(before.sets.clusters);
    expect(after.sets.clusters.resources.get('a')).toBe(before.sets.clusters.resources.get('a'));
  });

  test('remembers the content of removed clusters, until they are there again', () => {
    const first = next(translateSimulated(scene({ clusters: { a: '1', b: '1' } })));
    const second = next(translateSimulated(scene({ clusters: { b: '1' } })), first);
    const third = next(translateSimulated(scene({ clusters: {} })), second);
    expect([...third.targetFor(ALL).removed.clusters.keys()]).toEqual(['a', 'b']);
    const fourth = next(translateSimulated(scene({ clusters: { a: '2' } })), third);
    expect([...fourth.targetFor(ALL).removed.clusters.keys()]).toEqual(['b']);
  });
});

describe('a cohort', () => {
  const services = ['manager', 'billing'].map((service, index) =>
    serviceRoutes({ service, listeners: [{ name: service, port: 10_000 + index }] }),
  );
  const shared = serviceRoutes({
    service: 'reports',
    listeners: [{ name: 'manager', domains: ['reports'] }],
  });
  const snapshot = next(translate(table(...services, shared)));
  const names = (wishes: { listeners?: string[]; services?: string[] }): Record<string, string[]> =>
    Object.fromEntries(
      Object.entries(snapshot.targetFor({ kind: 'envoy', ...wishes }).sets).map(([type, { resources }]) => [
        type,
        [...resources.keys()],
      ]),
    );

  test('without wishes gets everything', () => {
    const all = names({});
    expect(all['listeners']).toEqual(['billing', 'manager']);
    expect(all['clusters']).toHaveLength(6);
  });

  test('that asks for a listener gets what is reached through it, all services on it included', () => {
    const part = names({ listeners: ['manager'] });
    expect(part['listeners']).toEqual(['manager']);
    expect(part['clusters']?.every((name) => /manager|reports/.test(name))).toBe(true);
    expect(part['clusters']).toHaveLength(4);
    expect(part['endpoints']).toEqual(part['clusters']);
  });

  test('that asks for a service gets its listeners, with all that their routes name', () => {
    expect(names({ services: ['billing'] })).toMatchObject({ listeners: ['billing'] });
    expect(names({ services: ['reports'] })['clusters']).toHaveLength(4);
    expect(names({ services: ['nobody'] })).toEqual({
      clusters: [],
      endpoints: [],
      listeners: [],
      routes: [],
    });
  });

  test('is read from the node: gRPC clients by their name, wishes from the metadata, sorted and once each', () => {
    const read = (userAgentName: string, switchyard?: unknown) =>
      cohortOf({ id: 'n', userAgentName, metadata: switchyard === undefined ? undefined : { switchyard } });
    expect(read('gRPC Go')).toEqual({ kind: 'grpc' });
    expect(read('envoy', {})).toEqual({ kind: 'envoy' });
    expect(read('envoy', { listeners: ['b', 'a', 'b'] })).toEqual({ kind: 'envoy', listeners: ['a', 'b'] });
    expect(cohortKey(read('envoy', { listeners: ['b', 'a'] }))).toBe(
      cohortKey(read('', { listeners: ['a', 'b'] })),
    );
  });

  test.each([
    [{ listeners: 'gateway' }, 'metadata.switchyard.listeners must be a list of names, not "gateway"'],
    [{ services: [1] }, 'metadata.switchyard.services must be a list of names, not [1]'],
    [['gateway'], 'metadata.switchyard must be an object'],
    [{ listner: [] }, 'metadata.switchyard.listner is unknown'],
  ])('of metadata %j is refused', (switchyard, message) => {
    const read = () => cohortOf({ id: 'n', userAgentName: 'envoy', metadata: { switchyard } });
    expect(read).toThrow(InvalidNodeError);
    expect(read).toThrow(message);
  });
});

describe('a frame', () => {
  const set = next(translateSimulated(scene({ clusters: { a: '1' } }))).targetFor(ALL).sets.clusters;
  const whole = content(set, 'all', []);

  test('is one buffer for all streams that are not yet further on', () => {
    const framer = createFramer();
    const first = framer.frame({ dialect: 'sotw', content: whole, lastNonce: 0 });
    expect(framer.frame({ dialect: 'sotw', content: content(set, ['a'], []), lastNonce: 0 }).bytes).toBe(
      first.bytes,
    );
  });

  test('has a higher nonce for a stream that had this one, and nothing else differs', () => {
    const framer = createFramer();
    const first = framer.frame({ dialect: 'delta', content: whole, lastNonce: 0 });
    const again = framer.frame({ dialect: 'delta', content: whole, lastNonce: first.nonce });
    expect(again.nonce).toBeGreaterThan(first.nonce);
    expect(again.bytes.subarray(0, -1)).toEqual(first.bytes.subarray(0, -1));
  });
});
