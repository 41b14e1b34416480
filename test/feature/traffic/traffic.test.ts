import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Instance } from '../../../examples/manager/instance.ts';
import { type ManagerServer, serve } from '../../../examples/manager/server.ts';
import { History } from '../../support/traffic/history.ts';
import { isClean, judge, type Verdict } from '../../support/traffic/judge.ts';
import { STREAM_FACES } from '../../support/traffic/samples.ts';
import { Traffic } from '../../support/traffic/traffic.ts';

const servers: ManagerServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

/** One version without any proxy: it answers whatever the pin says. */
async function startLoad(finishMs: number) {
  const instance = new Instance({ version: 'v1', instance: 'v1-a' });
  const server = await serve(instance, { host: '127.0.0.1', port: 0 });
  servers.push(server);
  const traffic = new Traffic({
    entrance: 'direct',
    address: server,
    requestsPerSecond: 200,
    mix: { tenants: 20, pins: ['v1'], unknownPins: [], slowMs: 50 },
    habits: { tickMs: 20, silenceMs: 5000, finishMs },
  });
  for (const face of STREAM_FACES) traffic.openStream({ face });
  traffic.start();
  await until(() => sumOf(traffic.progress().streams) === STREAM_FACES.length);
  await until(() => traffic.progress().requests >= 60);
  return { instance, server, traffic };
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(5);
}

/** Judges as if these were the routes all the time. */
async function verdictOf(traffic: Traffic, active: readonly string[] = ['v1']): Promise<Verdict> {
  const histories = new Map([['direct', new History({ from: 'v1', to: 'v1', weight: 100, active })]]);
  return judge({ ...(await traffic.stop()), histories });
}

describe('constant traffic', () => {
  it('is judged clean where nothing goes wrong, and ends its streams itself', async () => {
    const { traffic } = await startLoad(20);
    const verdict = await verdictOf(traffic);
    expect(verdict.faults).toEqual([]);
    expect(isClean(verdict)).toBe(true);
    expect(verdict.streamsOpened).toBe(STREAM_FACES.length);
  });

  it('shows cut streams and failed requests when the instance goes away under it', async () => {
    // Stopping says that it drains, too; these clients do not care.
    const { server, traffic } = await startLoad(60_000);
    await server.stop(0);
    await until(() => traffic.streams().length === 0);
    await until(() => traffic.progress().failed > 10);
    const verdict = await verdictOf(traffic);
    expect(verdict.streamsCut).toBe(STREAM_FACES.length);
    expect(verdict.failed).toBeGreaterThan(10);
  });

  it('shows pins that were served though nothing of that name was active', async () => {
    const { traffic } = await startLoad(20);
    const verdict = await verdictOf(traffic, []);
    expect(verdict.misrouted).toBeGreaterThan(0);
    expect(verdict.refusedSeen).toBe(0);
    expect(verdict.refusedExpected).toBeGreaterThan(0);
  });

  it('has its clients end their streams when the version says that it drains', async () => {
    const { instance, traffic } = await startLoad(20);
    instance.fence();
    await until(() => traffic.streams().length === 0);
    await until(() => instance.report().open.every(({ kind }) => kind !== 'stream'));
    const { streamsOpened, streamsCut } = await verdictOf(traffic);
    expect({ streamsOpened, streamsCut }).toEqual({ streamsOpened: STREAM_FACES.length, streamsCut: 0 });
  });
});
