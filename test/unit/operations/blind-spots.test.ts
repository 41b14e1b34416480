// Whose requests nobody counts although they are served: a report must not call itself proved over them.
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { listenerName, serviceName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { reportingOf } from '../../../src/operations/blind-spots.ts';
import type { ProxyProgress } from '../../../src/ports/publisher.ts';
import { aRecord, aSpec } from '../../support/records.ts';

const MANAGER = serviceName('manager');
const window = { from: instant(1_000), to: instant(2_000) };

function recordOf(name: string, listeners: Readonly<Record<string, boolean>>): ServiceRecord {
  const [binding] = aSpec().listeners;
  if (binding === undefined) throw new Error('a spec has a listener');
  return aRecord({
    name: serviceName(name),
    spec: aSpec({
      listeners: Object.entries(listeners).map(([each, accessLog]) => ({
        ...binding,
        name: listenerName(each),
        accessLog,
      })),
    }),
  });
}

function proxy(
  id: string,
  replaced: Partial<ProxyProgress> & { readonly follows?: readonly string[] } = {},
): ProxyProgress {
  const { follows = ['gateway'], ...rest } = replaced;
  const type = rest.kind === 'grpc' ? 'listeners' : 'routes';
  return {
    id,
    nodeId: id,
    kind: 'envoy',
    protocol: 'sotw',
    address: '127.0.0.1:1',
    userAgent: 'envoy 1.40.0',
    connectedAt: instant(500),
    lastSeen: instant(500),
    publication: 1,
    routesPublication: 1,
    types: [{ type, subscribed: follows, acknowledgedVersion: '', publication: 1 }],
    ...rest,
  };
}

const of = (parts: {
  records?: readonly ServiceRecord[];
  proxies?: readonly ProxyProgress[];
  heard?: readonly string[];
}) =>
  reportingOf({
    service: MANAGER,
    records: parts.records ?? [recordOf('manager', { gateway: true })],
    proxies: parts.proxies ?? [],
    heard: new Set(parts.heard),
    window,
  });

describe('listeners', () => {
  test('that all report have no blind spot', () => {
    expect(of({})).toEqual({ isReported: true, blindSpots: [] });
  });

  test('of which one does not are named', () => {
    const { isReported, blindSpots } = of({
      records: [recordOf('manager', { gateway: true, inside: false })],
    });
    expect(isReported).toBe(true);
    expect(blindSpots).toEqual(['requests through inside are not counted: accessLog is false there']);
  });

  test('report for all services that share them', () => {
    const records = [recordOf('manager', { gateway: false }), recordOf('other', { gateway: true })];
    expect(of({ records })).toEqual({ isReported: true, blindSpots: [] });
  });

  test('of which none does: nothing is reported', () => {
    expect(of({ records: [recordOf('manager', { gateway: false })] }).isReported).toBe(false);
  });
});

describe('clients and proxies', () => {
  test('gRPC clients that route by themselves are a blind spot where they follow the service', () => {
    const proxies = [
      proxy('a', { kind: 'grpc', follows: ['manager'] }),
      proxy('b', { kind: 'grpc', follows: ['other'] }),
    ];
    expect(of({ proxies }).blindSpots).toEqual(['gRPC clients without a proxy report nothing: a']);
  });

  test('a proxy with a bootstrap of its own is one until it reports; ours is not, as it can', () => {
    const foreign = proxy('a', { hasForeignBootstrap: true });
    expect(of({ proxies: [foreign, proxy('b')] }).blindSpots).toEqual([
      expect.stringMatching(/^a has reported nothing: .*no cluster called switchyard$/),
    ]);
    expect(of({ proxies: [foreign], heard: ['a'] }).blindSpots).toEqual([]);
  });

  test('who came after the window or serves another listener is none', () => {
    const late = proxy('a', { hasForeignBootstrap: true, connectedAt: instant(2_000) });
    const other = proxy('b', { hasForeignBootstrap: true, follows: ['elsewhere'] });
    expect(of({ proxies: [late, other] }).blindSpots).toEqual([]);
  });

  test('many are counted, not all named', () => {
    const proxies = Array.from({ length: 5 }, (_, index) =>
      proxy(`p${index}`, { kind: 'grpc', follows: ['manager'] }),
    );
    expect(of({ proxies }).blindSpots).toEqual([
      'gRPC clients without a proxy report nothing: p0, p1, p2, 2 more',
    ]);
  });
});
