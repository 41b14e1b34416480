/**
 * Controllers are killed with SIGKILL at many points of starting and stopping: after any of them there is no orphan
 * and nothing runs twice. A kill point is a number of changes in the journal, or a time.
 */
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../src/adapters/clock.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';
import { createProcessesWorld, type ProcessesWorld } from '../../../support/processes-world.ts';
import { type RuntimeHost, startRuntimeHost } from '../../../support/runtime-host.ts';
import { full, sample, seed } from '../../../support/seed.ts';

const MANAGER = serviceName('manager');
const INSTANCES = 2;

/** What the controllers that are killed wish, one after the other. */
const WALKS = {
  'a version starts': [['v1']],
  'a version stops': [['v1'], []],
  'versions change': [['v1'], ['v1', 'v2'], ['v2'], ['v1']],
} as const;

type KillPoint =
  | { readonly kind: 'changes'; readonly count: number }
  | { readonly kind: 'time'; readonly after: number };

const POINTS: readonly KillPoint[] = [
  ...Array.from({ length: 12 }, (_, index) => ({ kind: 'changes', count: index + 1 }) as const),
  ...[0, 50, 100, 150, 200, 300, 400, 600].map((after) => ({ kind: 'time', after }) as const),
];
const CASES = Object.keys(WALKS).flatMap((walk) =>
  POINTS.map((point) => ({ walk: walk as keyof typeof WALKS, point })),
);

let world: ProcessesWorld;
beforeEach(async () => {
  world = await createProcessesWorld();
  await mkdir(join(world.stateFolder, 'instances'), { recursive: true });
});
afterEach(() => world.dispose());

/** Resolves at the kill point, or when the journal has been still for a while: then the point lies behind the walk. */
async function reached(point: KillPoint): Promise<void> {
  const never = new AbortController().signal;
  if (point.kind === 'time') return systemClock.sleep(point.after, never);
  const journal = join(world.stateFolder, 'instances');
  let changes = 0;
  let last = Date.now();
  const watcher = watch(journal, (_, name) => {
    if (name?.endsWith('.json') !== true) return;
    changes += 1;
    last = Date.now();
  });
  await vi.waitFor(() => expect(changes >= point.count || Date.now() - last > 1500).toBe(true), {
    timeout: 20_000,
    interval: 1,
  });
  watcher.close();
}

function host(versions: readonly string[]): RuntimeHost {
  const spec = world.spec([], { instances: INSTANCES });
  return startRuntimeHost({
    stateFolder: world.stateFolder,
    wishes: [{ service: 'manager', spec, versions }],
  });
}

/** No instance has more than one process (a session and its program are one here). */
function expectNothingTwice(): void {
  for (const [id, pids] of world.alive()) expect(pids, `processes of ${id}`).toHaveLength(1);
}

async function expectExactly(versions: readonly string[]): Promise<void> {
  const runtime = await world.open();
  await runtime.want({
    service: MANAGER,
    spec: world.spec([], { instances: INSTANCES }),
    versions: versions.map(versionName),
  });
  const wanted = versions.flatMap((version) => Array<string>(INSTANCES).fill(`${version} Ready`)).toSorted();
  await vi.waitFor(
    () =>
      expect(
        runtime
          .instances(MANAGER)
          .map(({ version, state }) => `${version} ${state}`)
          .toSorted(),
      ).toEqual(wanted),
    { timeout: 15_000, interval: 10 },
  );
  expectNothingTwice();
  expect([...world.alive().keys()].toSorted()).toEqual(runtime.instances(MANAGER).map(({ id }) => id));
  await runtime.close();
}

test.each(sample(CASES, 4))(
  'a kill at $point while $walk leaves no orphan and nothing twice',
  { timeout: 120_000 },
  async ({ walk, point }) => {
    const wishes = WALKS[walk];
    for (const versions of wishes) {
      const killed = host(versions);
      await reached(point);
      await killed.end('SIGKILL');
      expectNothingTwice();
    }
    await expectExactly(wishes.at(-1) ?? []);
  },
);

test('a controller that is killed again and again at random times leaves no orphan and nothing twice', {
  timeout: 600_000,
}, async () => {
  const random = randomFrom(seed());
  const choices = [[], ['v1'], ['v2'], ['v1', 'v2']];
  let last: readonly string[] = [];
  for (let round = 0; round < (full() ? 100 : 8); round++) {
    last = choices[Math.floor(random() * choices.length)] ?? [];
    const killed = host(last);
    await reached({ kind: 'time', after: random() * 700 });
    await killed.end('SIGKILL');
    expectNothingTwice();
  }
  await expectExactly(last);
});

/** Numbers from 0 to below 1 that a seed repeats (mulberry32, a public-domain generator). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
