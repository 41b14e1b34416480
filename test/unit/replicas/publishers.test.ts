// The counts of a leader and its followers, over proxies that acknowledge when the test says so.
import { describe, expect, test, vi } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { ProxyProgress } from '../../../src/ports/publisher.ts';
import { ProxyChanges } from '../../../src/replicas/changes.ts';
import { LeadingPublisher } from '../../../src/replicas/leading.ts';
import { RenumberedPublisher } from '../../../src/replicas/renumbered.ts';
import { ScriptedProxies } from '../../support/admin/proxies.ts';

const EMPTY = { services: [] };

/** Ids with the publication that each has. */
function where({ proxies }: { readonly proxies: readonly ProxyProgress[] }): Record<string, number> {
  return Object.fromEntries(proxies.map(({ id, publication }) => [id, publication]));
}

function proxyAt(id: string, publication: number): ProxyProgress {
  return {
    id,
    nodeId: id,
    kind: 'envoy',
    protocol: 'delta',
    address: '10.0.0.9:40000',
    userAgent: 'envoy 1.40.0',
    connectedAt: instant(1_000),
    lastSeen: instant(2_000),
    publication,
    routesPublication: publication,
    types: [{ type: 'routes', subscribed: ['gateway'], acknowledgedVersion: 'a', publication }],
  };
}

describe('a publisher that is renumbered', () => {
  test('takes the same number again, as its proxies have it when they have the newest table', () => {
    const proxies = new ScriptedProxies();
    const publisher = new RenumberedPublisher(proxies);
    proxies.connect('gateway', 'slow');
    publisher.publish({ number: 40, table: EMPTY });
    publisher.publish({ number: 40, table: EMPTY });
    publisher.publish({ number: 43, table: EMPTY });
    expect(proxies.published.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(where(publisher.progress())).toEqual({ gateway: 0 });
    proxies.acknowledge('gateway');
    expect(where(publisher.progress())).toEqual({ gateway: 43 });
    publisher.stillShows(45);
    expect(publisher.progress()).toMatchObject({ publication: 45, proxies: [{ publication: 45 }] });
    expect(() => publisher.publish({ number: 44, table: EMPTY })).toThrow(RangeError);
  });

  test('one that takes over counts nothing that was published before it', () => {
    const proxies = new ScriptedProxies();
    proxies.connect('gateway', 'prompt');
    new RenumberedPublisher(proxies).publish({ number: 900, table: EMPTY });
    const next = new RenumberedPublisher(proxies);
    expect(next.progress()).toMatchObject({ publication: 0, proxies: [{ id: 'gateway', publication: 0 }] });
    next.publish({ number: 7, table: EMPTY });
    expect(where(next.progress())).toEqual({ gateway: 7 });
  });
});

describe("a leader's publisher", () => {
  function lead() {
    const own = new ScriptedProxies();
    let commit = 10;
    const publisher = new LeadingPublisher({ own, commit: () => commit });
    return {
      own,
      publisher,
      publish: (number: number, shown: number) => {
        commit = shown;
        publisher.publish({ number, table: EMPTY });
      },
    };
  }
  const report = { commit: 0, heldBack: [], changed: [], gone: [] };

  test('counts the proxies of followers as its own: by what is published of the commit that they have', () => {
    const { publisher, publish, own } = lead();
    own.connect('here', 'prompt');
    publish(100, 10);
    publish(101, 11);
    publish(102, 11);
    publish(103, 14);
    const follower = publisher.follow('switchyard-1');
    follower.report({
      ...report,
      changed: [proxyAt('a', 9), proxyAt('b', 10), proxyAt('c', 12), proxyAt('d', 14), proxyAt('e', 20)],
    });
    expect(where(publisher.progress())).toEqual({ here: 103, a: 0, b: 100, c: 102, d: 103, e: 103 });
  });

  test('of a silent follower it knows no proxies, and of one that came again only what that one says', () => {
    const { publisher, publish } = lead();
    publish(1, 10);
    const changed = vi.fn();
    publisher.subscribe(changed);
    const first = publisher.follow('switchyard-1');
    first.report({ ...report, changed: [proxyAt('a', 10), proxyAt('b', 10)] });
    const second = publisher.follow('switchyard-1');
    second.report({ ...report, changed: [proxyAt('b', 10)] });
    first.report({ ...report, changed: [proxyAt('z', 10)] });
    expect(where(publisher.progress())).toEqual({ b: 1 });
    first.ended();
    expect(where(publisher.progress())).toEqual({ b: 1 });
    changed.mockClear();
    second.ended();
    expect(publisher.progress().proxies).toEqual([]);
    expect(changed).toHaveBeenCalled();
  });

  test('a proxy that is at two replicas for a moment is told twice, under two ids', () => {
    const { publisher, publish, own } = lead();
    publish(1, 10);
    own.connect('gateway', 'prompt');
    publisher.follow('switchyard-1').report({ ...report, changed: [proxyAt('gateway', 10)] });
    const { proxies } = publisher.progress();
    expect(proxies.map(({ id, nodeId }) => [id, nodeId])).toEqual([
      ['gateway', 'gateway'],
      ['gateway@2', 'gateway'],
    ]);
  });

  test('says what followers hold back, with their names', () => {
    const { publisher } = lead();
    publisher.follow('b').report({ ...report, heldBack: ['manager: v2 is cold'] });
    publisher.follow('a').report({ ...report, heldBack: ['manager: v2 is cold'] });
    expect(publisher.heldBack()).toEqual([
      'a stays on what it shows: manager: v2 is cold',
      'b stays on what it shows: manager: v2 is cold',
    ]);
  });

  test('tells whoever asks of each publication, with its commit', () => {
    const { publisher, publish } = lead();
    const commits: number[] = [];
    const stop = publisher.onPublished(() => commits.push(publisher.commit));
    publish(1, 10);
    publish(2, 12);
    stop();
    publish(3, 13);
    expect(commits).toEqual([10, 12]);
  });
});

describe('what a follower tells of its proxies', () => {
  test('is all at first, then what came, changed and went', () => {
    const changes = new ProxyChanges();
    const [a, b] = [proxyAt('a', 1), proxyAt('b', 1)];
    expect(changes.since([a, b])).toEqual({ changed: [a, b], gone: [] });
    expect(changes.since([a, b])).toEqual({ changed: [], gone: [] });
    const later = { ...a, lastSeen: instant(9_000) };
    expect(changes.since([later, b])).toEqual({ changed: [], gone: [] });
    const further = proxyAt('b', 2);
    expect(changes.since([further])).toEqual({ changed: [further], gone: ['a'] });
  });
});
