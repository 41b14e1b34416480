// The receiver of reports over the real wire: what it counts, what it saves, and how little it lets itself be hurt.
import { afterEach, describe, expect, test } from 'vitest';
import { AccessLogReceiver, type ReceiverOptions } from '../../../../src/adapters/access-log/receiver.ts';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { createMemoryStore } from '../../../../src/adapters/memory/store.ts';
import { AccessLogType } from '../../../../src/gen/envoy/data/accesslog/v3/accesslog_pb.js';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName } from '../../../../src/model/names.ts';
import type { TrafficCount } from '../../../../src/model/traffic.ts';
import type { Store } from '../../../../src/ports/store.ts';
import { eventually } from '../../../support/eventually.ts';
import { entry, ReportingProxy } from '../../../support/log-stream.ts';
import { startXdsWorld } from '../../../support/xds-world.ts';

const MANAGER = serviceName('manager');
const ALWAYS = { from: instant(0), to: instant(Number.MAX_SAFE_INTEGER) };

const ends: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Receiving {
  readonly receiver: AccessLogReceiver;
  readonly store: Store;
  readonly faults: string[];
  /** A proxy that reports to it. */
  readonly proxy: (name: string) => ReportingProxy;
  /** Ends the server and then the receiver, as the controller does. */
  readonly stop: () => Promise<void>;
}

async function receiving(options: Partial<ReceiverOptions> & { store?: Store } = {}): Promise<Receiving> {
  const store = options.store ?? createMemoryStore();
  const faults: string[] = [];
  const receiver = await AccessLogReceiver.open({
    clock: systemClock,
    services: [MANAGER],
    isKnown: (service) => service === MANAGER,
    onFault: ({ what }) => faults.push(what),
    ...options,
    store,
  });
  const world = await startXdsWorld({ server: { services: [receiver.service] } });
  let isOpen = true;
  const stop = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await world.close();
    await receiver.close();
  };
  ends.push(stop);
  return {
    receiver,
    store,
    faults,
    stop,
    proxy(name) {
      const proxy = new ReportingProxy(world.server.port, name);
      ends.push(() => proxy.break());
      return proxy;
    },
  };
}

const counted = (receiver: AccessLogReceiver) => receiver.counts({ service: MANAGER, ...ALWAYS });

function requestsOf(counts: readonly TrafficCount[]): number {
  return counts.reduce((sum, { requests }) => sum + requests, 0);
}

describe('what is counted', () => {
  test('each request that ended, once, with its version, route, result, retries and duration', async () => {
    const { receiver, proxy } = await receiving();
    const one = proxy('gateway-1');
    one.report(
      entry({ duration: 3 }),
      entry({ duration: 3, attempts: 3 }),
      entry({ route: 'Pin', version: 'v2', status: 500 }),
    );
    one.report(
      entry({ type: AccessLogType.DownstreamPeriodic }),
      entry({ type: AccessLogType.DownstreamStart }),
      entry({ service: 'unknown' }),
      { commonProperties: { routeName: 'not of ours', accessLogType: AccessLogType.DownstreamEnd } },
    );
    await eventually(() => receiver.totals().notOurs === 4);
    const counts = await counted(receiver);
    expect(
      counts.map(({ version, route, result, requests, retries }) => ({
        version,
        route,
        result,
        requests,
        retries,
      })),
    ).toEqual([
      { version: 'v1', route: 'Default', result: 'Success', requests: 2, retries: 2 },
      { version: 'v2', route: 'Pin', result: 'ServerError', requests: 1, retries: 0 },
    ]);
    expect(counts[0]?.durations.reduce((sum, each) => sum + each, 0)).toBe(2);
    expect(receiver.totals()).toEqual({ counted: 3, notOurs: 4, lost: 0 });
    expect(receiver.recent(MANAGER)).toEqual(counts);
  });

  test('the threads of a proxy are one reporter, and it is gone when the last of them is', async () => {
    const { receiver, proxy } = await receiving();
    const threads = [proxy('gateway-1'), proxy('gateway-1')];
    for (const thread of threads) thread.report(entry());
    proxy('gateway-2').report(entry());
    await eventually(() => receiver.totals().counted === 3);
    expect(receiver.reporters().map((reporter) => reporter.proxy)).toEqual(['gateway-1', 'gateway-2']);
    threads[0]?.break();
    await eventually(async () => (await receiver.coverage(ALWAYS))[0]?.gaps.length === 1);
    expect(receiver.reporters()).toHaveLength(2);
    threads[1]?.break();
    await eventually(() => receiver.reporters().length === 1);
  });

  test('a request that a proxy’s clock puts far away is counted now', async () => {
    const { receiver, proxy } = await receiving();
    const now = Date.now();
    proxy('gateway-1').report(
      entry({ start: now - 86_400_000 }),
      entry({ start: now + 86_400_000 }),
      entry({ start: -5 }),
    );
    await eventually(() => receiver.totals().counted === 3);
    for (const { from } of await counted(receiver)) {
      expect(from).toBeGreaterThanOrEqual(now - 70_000);
      expect(from).toBeLessThanOrEqual(Date.now());
    }
  });
});

describe('what is kept', () => {
  test('counts and the time of listening are in the store when it closes', async () => {
    const { store, proxy, receiver, stop } = await receiving();
    proxy('gateway-1').report(entry(), entry());
    await eventually(() => receiver.totals().counted === 2);
    await stop();
    expect(requestsOf(await store.traffic({ service: MANAGER, ...ALWAYS }))).toBe(2);
    const [record] = await store.coverage(ALWAYS);
    expect(record?.gaps).toEqual([expect.objectContaining({ proxy: 'gateway-1', requests: 0 })]);
  });

  test('a receiver that begins again in the same seconds goes on counting from what was saved', async () => {
    const store = createMemoryStore();
    const start = Date.now();
    for (let round = 1; round <= 3; round += 1) {
      const { proxy, receiver, stop } = await receiving({ store });
      proxy('gateway-1').report(entry({ start }));
      await eventually(() => receiver.totals().counted === 1);
      expect(requestsOf(await counted(receiver))).toBe(round);
      await stop();
    }
    expect(requestsOf(await store.traffic({ service: MANAGER, ...ALWAYS }))).toBe(3);
    expect(await store.coverage(ALWAYS)).toHaveLength(3);
  });

  test('what could not be saved is saved later, and told', async () => {
    const memory = createMemoryStore();
    let isBroken = true;
    const store: Store = {
      ...memory,
      saveTraffic: (counts) =>
        isBroken ? Promise.reject(new Error('disk full')) : memory.saveTraffic(counts),
    };
    const clock = {
      ...systemClock,
      sleep: (_: number, signal: AbortSignal) => systemClock.sleep(20, signal),
    };
    const { proxy, receiver, faults } = await receiving({ store, clock });
    proxy('gateway-1').report(entry());
    await eventually(() => faults.length > 1);
    expect(faults[0]).toBe('counts of requests cannot be saved');
    expect(requestsOf(await counted(receiver))).toBe(1);
    isBroken = false;
    await eventually(async () => requestsOf(await memory.traffic({ service: MANAGER, ...ALWAYS })) === 1);
  });
});

describe('what cannot be counted', () => {
  const gapsOf = async (receiver: AccessLogReceiver) =>
    (await receiver.coverage(ALWAYS)).flatMap(({ gaps }) => gaps);

  test('without time to read, reports are thrown away, counted as lost, and the stream goes on', async () => {
    let hasTime = true;
    const budget = { allows: () => hasTime, spend: <Result>(work: () => Result) => work() };
    const { receiver, proxy } = await receiving({ budget });
    const one = proxy('gateway-1');
    one.report(entry());
    await eventually(() => receiver.totals().counted === 1);
    hasTime = false;
    one.report(entry(), entry(), entry());
    one.report(entry());
    await eventually(() => receiver.totals().lost === 4);
    expect(await gapsOf(receiver)).toEqual([expect.objectContaining({ proxy: 'gateway-1', requests: 4 })]);
    expect(receiver.reporters()[0]?.entriesLost).toBe(4);
    hasTime = true;
    one.report(entry());
    await eventually(() => receiver.totals().counted === 2);
  });

  test('names without end do not fill the memory', async () => {
    const { receiver, proxy } = await receiving({ mostSums: 10 });
    const one = proxy('gateway-1');
    one.report(...Array.from({ length: 50 }, (_, index) => entry({ version: `v${index}` })));
    await eventually(() => receiver.totals().lost > 0);
    expect(receiver.totals()).toMatchObject({ counted: 10, lost: 40 });
    expect(await counted(receiver)).toHaveLength(10);
    expect(await gapsOf(receiver)).toEqual([expect.objectContaining({ requests: 40 })]);
  });

  test('bytes that are no report are told and cost one, and the next report is read', async () => {
    const { receiver, proxy, faults } = await receiving();
    const one = proxy('gateway-1');
    one.report(entry());
    one.send(Buffer.from([0xff, 0xff, 0xff, 0x01]));
    one.report(entry());
    await eventually(() => receiver.totals().counted === 2);
    expect(receiver.totals().lost).toBe(1);
    expect(faults).toEqual(['a report of gateway-1 cannot be read']);
  });

  test('a name that would forge a line of a log is shown as what it is', async () => {
    const { receiver, proxy } = await receiving();
    proxy('gate\u001b[2J\nway').report(entry());
    await eventually(() => receiver.reporters().length === 1);
    expect(receiver.reporters()[0]?.proxy).toMatch(/^gate\uFFFD\[2J way$/);
  });
});

describe('when a proxy is away', () => {
  test('the gap lasts from what was last heard to its next word', async () => {
    const { receiver, proxy } = await receiving();
    const first = proxy('gateway-1');
    first.report(entry());
    await eventually(() => receiver.totals().counted === 1);
    first.break();
    await eventually(() => receiver.reporters().length === 0);
    const gap = async () => (await receiver.coverage(ALWAYS))[0]?.gaps[0];
    const before = await gap();
    proxy('gateway-1').report(entry());
    await eventually(() => receiver.totals().counted === 2);
    const after = await gap();
    expect(after?.from).toBe(before?.from);
    expect(after?.to).toBeGreaterThanOrEqual(before?.to ?? Number.POSITIVE_INFINITY);
    expect((await receiver.coverage(ALWAYS))[0]?.gaps).toHaveLength(1);
  });

  test('a proxy that ends its stream in order is answered', async () => {
    const { proxy } = await receiving();
    const one = proxy('gateway-1');
    one.report(entry());
    one.end();
    expect(await one.ended).toBe('OK');
  });
});
