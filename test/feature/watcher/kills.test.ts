/**
 * Watchers are killed with SIGKILL at many points of fetching, starting, switching and draining: after any of them no
 * delegate is orphaned, none runs twice, and a healthy one is always there. A kill point is a number of changes on the
 * box's disk, or a time.
 */
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { aliveOf } from '../../support/processes-world.ts';
import { endProcess, startWatcherProcess, writeBoxFile } from '../../support/run-watcher.ts';
import { sample } from '../../support/seed.ts';
import { createWatcherWorld, type WatcherWorld } from '../../support/watcher-world.ts';

/** The goal states of the watchers that are killed, one after the other. */
const WALKS = {
  'the first version comes': [['v1']],
  'a version comes beside another': [['v1'], ['v1', 'v2']],
  'a version takes the place of another, and goes again': [['v1'], ['v2'], ['v1', 'v2'], ['v1']],
} as const;

type KillPoint =
  | { readonly kind: 'changes'; readonly count: number }
  | { readonly kind: 'time'; readonly after: number };

const POINTS: readonly KillPoint[] = [
  ...[1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 22].map((count) => ({ kind: 'changes', count }) as const),
  ...[300, 600, 900, 1200, 1500, 2000, 2500, 3000].map((after) => ({ kind: 'time', after }) as const),
];
const CASES = Object.keys(WALKS).flatMap((walk) =>
  POINTS.map((point) => ({ walk: walk as keyof typeof WALKS, point })),
);

// Processes are started, and a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let world: WatcherWorld;
let config: string;
beforeEach(async () => {
  world = await createWatcherWorld();
  config = writeBoxFile(world);
  for (const folder of ['artifacts', 'processes/instances']) {
    await mkdir(join(world.settings.dataFolder, folder), { recursive: true });
  }
});
afterEach(() => world.dispose());

/** Resolves at the kill point, or when the disk has been still for a while: then the point lies behind the walk. */
async function reached(point: KillPoint): Promise<void> {
  if (point.kind === 'time') return systemClock.sleep(point.after, new AbortController().signal);
  let changes = 0;
  let last = Date.now();
  const watchers = ['.', 'artifacts', 'processes/instances'].map((folder) =>
    watch(join(world.settings.dataFolder, folder), (_, name) => {
      if (name === null || name.includes('status.json')) return;
      changes += 1;
      last = Date.now();
    }),
  );
  await vi.waitFor(() => expect(changes >= point.count || Date.now() - last > 3000).toBe(true), {
    timeout: 30_000,
    interval: 1,
  });
  for (const watcher of watchers) watcher.close();
}

/** No version has more than one process (a session and its program are one here). */
function expectNothingTwice(): void {
  const versions = [...aliveOf(world.folder).keys()].map(
    (instance) => /^manager-(v\d)-/.exec(instance)?.[1] ?? '?',
  );
  expect(new Set(versions).size).toBe(versions.length);
  for (const [id, pids] of aliveOf(world.folder)) expect(pids, `processes of ${id}`).toHaveLength(1);
}

test.each(sample(CASES, 3))(
  'a kill at $point while $walk leaves no orphan, nothing twice, and no box without a delegate',
  { timeout: 120_000 },
  async ({ walk, point }) => {
    let wasReady = false;
    for (const versions of WALKS[walk]) {
      world.want(await Promise.all(versions.map((version) => world.release(version))));
      const killed = startWatcherProcess(config, ['--agent', '--log-level', 'silent']);
      await reached(point);
      await endProcess(killed, 'SIGKILL');
      expectNothingTwice();
      if (wasReady) expect(world.alive().length).toBeGreaterThan(0);
      wasReady ||= world.controller.report?.versions.some(({ state }) => state === 'Ready') ?? false;
    }
    const last = WALKS[walk].at(-1) ?? [];
    const survivor = startWatcherProcess(config, ['--agent', '--log-level', 'silent']);
    try {
      await world.reported(Object.fromEntries(last.map((version) => [version, 'Ready'])));
      expectNothingTwice();
      expect(world.alive()).toHaveLength(last.length);
    } finally {
      await endProcess(survivor, 'SIGTERM');
    }
  },
);
