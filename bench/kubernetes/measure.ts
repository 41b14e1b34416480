/** What is measured: from a change of endpoints to who hears of it, what is asked while nothing happens, and memory. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubernetesApi } from '../../src/adapters/kubernetes/client/api.ts';
import { ENDPOINT_SLICE } from '../../src/adapters/kubernetes/client/kinds.ts';
import { list, watch } from '../../src/adapters/kubernetes/client/watch.ts';
import { OURS } from '../../src/adapters/kubernetes/labels.ts';
import type { ServiceName, VersionName } from '../../src/model/names.ts';
import { clusterName } from '../../src/xds/translate/names.ts';
import { eventually } from '../../test/support/eventually.ts';
import { clientConfig } from '../../test/support/kubernetes/client-config.ts';
import type { BenchWorld } from './world.ts';

/** One change, in milliseconds from when its write was sent. */
export interface Change {
  /** A bare watch, through the same gate, has heard of it. */
  readonly watched: number;
  /** The first and the last proxy have acknowledged it. */
  readonly first: number;
  readonly last: number;
}

/** Changes endpoints of one service after the other; the bare watcher and the proxies hear of the same changes. */
export async function measureChanges(world: BenchWorld, count: number): Promise<readonly Change[]> {
  const ended = new AbortController();
  const watched = await watcher(world, ended.signal);
  const changes: Change[] = [];
  const version = world.versions.at(-1) as VersionName;
  for (let turn = 0; turn < count; turn += 1) {
    const service = world.services[(turn * 7) % world.services.length] as ServiceName;
    const cluster = clusterName(service, version);
    const acknowledged: number[] = [];
    const stops = world.proxies.map((proxy) =>
      proxy.onEndpoints((name, at) => {
        if (name === cluster) acknowledged.push(at);
      }),
    );
    watched.length = 0;
    const began = performance.now();
    await world.change(service, turn);
    await eventually(() => watched.length > 0 && acknowledged.length >= world.proxies.length, {
      what: `change ${turn} at all`,
      within: 30_000,
      every: 5,
    });
    for (const stop of stops) stop();
    const [seen = began] = watched;
    changes.push({
      watched: seen - began,
      first: Math.min(...acknowledged) - began,
      last: Math.max(...acknowledged) - began,
    });
    // The status of the service is written meanwhile where it says something else.
    await sleep(200);
  }
  ended.abort();
  return changes;
}

/** The floor: a watch of the same objects that does nothing but to take the time. */
async function watcher(world: BenchWorld, signal: AbortSignal): Promise<number[]> {
  const api = new KubernetesApi(clientConfig(world.gate.kubeconfig));
  const which = { kind: ENDPOINT_SLICE, namespace: world.namespace, labelSelector: OURS };
  const { resourceVersion } = await list(api, which, signal);
  const seen: number[] = [];
  const follow = async (): Promise<void> => {
    for await (const event of watch(api, { ...which, from: resourceVersion, lasting: 3_600_000 }, signal))
      if (event.kind === 'Changed') seen.push(performance.now());
  };
  follow().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return seen;
}

/** What the replica asks of the API server in a minute in which nothing happens. */
export interface Idle {
  readonly lease: number;
  readonly watches: number;
  readonly others: readonly string[];
}

export async function measureIdle({ gate }: BenchWorld, milliseconds: number): Promise<Idle> {
  // What the last change has brought about must have ended.
  let seen = -1;
  await eventually(
    async () => {
      const before = seen;
      seen = gate.asked.filter((line) => !line.includes('/leases/')).length;
      await sleep(5_000);
      return before === seen;
    },
    { what: 'a rest', within: 600_000 },
  );
  const from = gate.asked.length;
  await sleep(milliseconds);
  const asked = gate.asked.slice(from);
  const lease = asked.filter((line) => line.includes('/leases/'));
  const watches = asked.filter((line) => line.startsWith('WATCH '));
  const others = asked.filter((line) => !lease.includes(line) && !watches.includes(line));
  const perMinute = (lines: readonly string[]): number => Math.round((lines.length * 60_000) / milliseconds);
  return { lease: perMinute(lease), watches: perMinute(watches), others };
}

/** Megabytes that a process has in memory now, and had at most. */
export async function memoryOf(pid: number): Promise<{ readonly now: number; readonly most: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const of = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1_024;
  return { now: of('VmRSS'), most: of('VmHWM') };
}
