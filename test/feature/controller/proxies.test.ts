// Which proxies are away, and for whom a removal waits: a proxy is its node id, however often it connects.
import { beforeEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { ProxyTracker } from '../../../src/controller/proxies.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import type { ProxySeen } from '../../../src/ports/store.ts';
import { ScriptedProxies } from '../../support/admin/proxies.ts';
import { table } from '../../support/tables.ts';

const GRACE = 600_000;
let proxies: ScriptedProxies;
let now: Instant;

function tracker(stored: readonly ProxySeen[] = []): ProxyTracker {
  const clock = { now: () => now } as ConstructorParameters<typeof ProxyTracker>[0]['clock'];
  const made = new ProxyTracker({ publisher: proxies, clock, grace: GRACE, stored });
  made.follow();
  made.refresh();
  return made;
}

const states = (of: ProxyTracker) =>
  of
    .views()
    .map(({ id, connected, inSync }) => `${id} ${connected ? (inSync ? 'InSync' : 'Behind') : 'Away'}`);
const stragglers = (of: ProxyTracker, publication: number) =>
  of.stragglers(publication, 'all').map(({ proxy, kind }) => `${proxy} ${kind}`);

beforeEach(() => {
  proxies = new ScriptedProxies();
  now = instant(Date.parse('2026-11-01T12:00:00Z'));
  proxies.publish({ number: 5, table: table() });
});

describe('a proxy that connects again before its old connection is noticed to be dead', () => {
  test('is not away when the old connection ends, and nothing waits for it', () => {
    const known = tracker();
    proxies.connect('gw', 'prompt');
    proxies.connect('gw#2', 'prompt');
    proxies.publish({ number: 6, table: table() });
    proxies.disconnect('gw');
    expect(states(known)).toEqual(['gw#2 InSync']);
    expect(stragglers(known, 6)).toEqual([]);
  });

  test('is waited for while the new connection has not come as far as the old one', () => {
    const known = tracker();
    proxies.connect('gw', 'prompt');
    proxies.connect('gw#2', 'slow');
    proxies.disconnect('gw');
    expect(stragglers(known, 6)).toEqual(['gw#2 Behind']);
    proxies.disconnect('gw#2');
    expect(stragglers(known, 5)).toEqual(['gw Away']);
    expect(states(known)).toEqual(['gw Away']);
  });

  test('is stored once, at the publication of the connection that is further behind', async () => {
    const known = tracker();
    proxies.connect('gw', 'prompt');
    proxies.connect('gw#2', 'slow');
    const store = createMemoryStore();
    await known.save(store);
    expect((await store.load()).proxies).toEqual([
      { id: 'gw', kind: 'envoy', lastSeen: now, publication: 0 },
    ]);
  });
});

test('a proxy that went away is waited for until it is back, or for the grace time', () => {
  const known = tracker([{ id: 'gw', kind: 'envoy', lastSeen: now, publication: 4 }]);
  proxies.connect('other', 'prompt');
  expect(stragglers(known, 5)).toEqual(['gw Away']);
  proxies.connect('gw', 'slow');
  expect(stragglers(known, 5)).toEqual(['gw Behind']);
  proxies.acknowledge('gw');
  expect(stragglers(known, 5)).toEqual([]);
  proxies.disconnect('other');
  proxies.publish({ number: 6, table: table() });
  expect(stragglers(known, 6)).toEqual(['other Away']);
  now = instant(now + GRACE);
  known.expire();
  expect(stragglers(known, 6)).toEqual([]);
});

test('two proxies with one node id are told, once the older cannot be a dead connection of the same proxy', () => {
  const known = tracker();
  proxies.connect('gw', 'prompt');
  proxies.connect('gw#2', 'prompt');
  proxies.connect('other', 'prompt');
  expect(known.alerts()).toEqual([]);
  now = instant(now + 30_000);
  expect(known.alerts()).toEqual(['2 proxies call themselves gw: give each its own --node-id']);
  proxies.disconnect('gw');
  expect(known.alerts()).toEqual([]);
});

test('no more than 10,000 proxies that went away are known, and those that went first are forgotten', () => {
  const stored = Array.from({ length: 10_002 }, (_, index): ProxySeen => {
    const lastSeen = instant(now - index);
    return { id: `gw${index}`, kind: 'envoy', lastSeen, publication: 1 };
  });
  const known = tracker(stored);
  const ids = known.views().map(({ id }) => id);
  expect(ids).toHaveLength(10_000);
  expect(ids).toContain('gw0');
  expect(ids).not.toContain('gw10001');
});

describe('a rejection', () => {
  const past = (of: ProxyTracker) =>
    of
      .views()
      .map(({ id, pastRejections }) =>
        [id, ...pastRejections.map(({ type, rejection }) => `${type}: ${rejection?.message}`)].join(' '),
      );

  test('stays known after the proxy went away, until it acknowledges something of the type again', () => {
    const known = tracker();
    proxies.connect('gw', 'slow');
    proxies.reject('gw', 'no room');
    expect(past(known)).toEqual(['gw']);
    proxies.disconnect('gw');
    expect(past(known)).toEqual(['gw routes: no room']);
    proxies.publish({ number: 6, table: table() });
    known.refresh();
    expect(past(known)).toEqual(['gw routes: no room']);
    proxies.connect('gw', 'prompt');
    expect(past(known)).toEqual(['gw']);
    proxies.disconnect('gw');
    expect(past(known)).toEqual(['gw']);
  });

  test('is forgotten with its proxy', () => {
    const known = tracker();
    proxies.connect('gw', 'slow');
    proxies.reject('gw', 'no room');
    proxies.disconnect('gw');
    now = instant(now + GRACE);
    known.expire();
    proxies.connect('gw', 'slow');
    proxies.disconnect('gw');
    expect(past(known)).toEqual(['gw']);
  });
});
