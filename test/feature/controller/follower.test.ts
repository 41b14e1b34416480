// A replica that does not lead, over instances in a file that the test writes, and records that it hands over.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { EndpointsRuntime } from '../../../src/adapters/endpoints/runtime.ts';
import { Follower } from '../../../src/controller/follower.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { RoutedService, RoutingView } from '../../../src/ports/routing-view.ts';
import { RenumberedPublisher } from '../../../src/replicas/renumbered.ts';
import { ScriptedProxies } from '../../support/admin/proxies.ts';
import { parseLines } from '../../support/endpoints-lines.ts';
import { aRecord, aSpec } from '../../support/records.ts';

const [v1, v2] = [versionName('v1'), versionName('v2')];

/** Recorded state that says what the test says. */
class Recorded implements RoutingView {
  publication = 0;
  isSynced = false;
  everWritten = false;
  readonly term = 1;
  readonly trouble = '';
  #services: readonly RoutedService[] = [];
  #listener = (): void => undefined;

  services(): readonly RoutedService[] {
    return this.#services;
  }

  set(commit: number, ...records: readonly ServiceRecord[]): void {
    this.isSynced = true;
    this.everWritten ||= records.length > 0;
    this.publication = commit;
    this.#services = records.map((record) => ({ record, publication: commit }));
    this.#listener();
  }

  subscribe(listener: () => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }
}

/** `shownBefore`: the commit that the proxies were shown while this replica led. */
async function aWorld({ shownBefore = 0 } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-follower-'));
  const file = join(folder, 'instances');
  const runtime = new EndpointsRuntime({ clock: systemClock, parseFile: parseLines, stateFolder: folder });
  const state = new Recorded();
  const proxies = new ScriptedProxies();
  const publisher = new RenumberedPublisher(proxies);
  const warnings: unknown[] = [];
  const follower = new Follower({
    state,
    runtimes: { endpoints: runtime },
    publisher,
    clock: systemClock,
    shownBefore,
    log: { warn: (fields) => void warnings.push(fields) },
  });
  onTestFinished(async () => {
    follower.stop();
    await runtime.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    follower,
    state,
    proxies,
    publisher,
    warnings,
    instances: (...lines: readonly string[]) => writeFile(file, lines.join('\n')),
    record: (traffic: ServiceRecord['traffic'], name = 'manager') =>
      aRecord({
        name: serviceName(name),
        traffic,
        spec: aSpec({ name: serviceName(name), runtime: { kind: 'endpoints', versions: [], file } }),
      }),
    /** The commit that proxies here are on, the default route, and the endpoints of each version. */
    shown() {
      const table = proxies.published.at(-1)?.table;
      return {
        commit: publisher.progress().publication,
        services: table?.services.map(({ service, defaultRoute, versions }) => ({
          service,
          default: defaultRoute.kind === 'Single' ? defaultRoute.version : defaultRoute.kind,
          endpoints: versions.map(({ version, endpoints }) => `${version} ${endpoints.length}`),
        })),
      };
    },
  };
}

const onV1 = { kind: 'steady', primary: v1 } as const;
const onV2 = { kind: 'steady', primary: v2, previous: v1 } as const;

describe('a replica that follows', () => {
  test('shows nothing before the recorded state is loaded, and nothing of an empty one', async () => {
    const { follower, state, proxies } = await aWorld();
    follower.start();
    state.set(0);
    expect(proxies.published).toEqual([]);
  });

  test('shows nothing older than what its proxies were shown while it led: its own view may be behind what it wrote', async () => {
    const world = await aWorld({ shownBefore: 9 });
    await world.instances('v1 127.0.0.1:1', 'v2 127.0.0.1:2');
    const told = vi.fn<() => void>();
    world.follower.subscribe(told);
    world.state.set(7, world.record(onV1));
    world.follower.start();
    await vi.waitFor(() =>
      expect(world.follower.heldBack()).toEqual([
        'this replica knows the records up to commit 7, and its proxies were shown commit 9 while it led',
      ]),
    );
    world.state.set(8, world.record(onV1));
    expect(told).toHaveBeenCalled();
    expect(world.proxies.published).toEqual([]);
    expect(world.shown().commit).toBe(0);
    world.state.set(9, world.record(onV2));
    await vi.waitFor(() => expect(world.shown()).toMatchObject({ commit: 9, services: [{ default: 'v2' }] }));
    expect(world.follower.heldBack()).toEqual([]);
  });

  test('shows what is recorded with the endpoints that it sees itself, counted by commits', async () => {
    const world = await aWorld();
    await world.instances('v1 127.0.0.1:1', 'v2 127.0.0.1:2 127.0.0.1:3');
    world.state.set(7, world.record(onV1));
    world.follower.start();
    const expected = { service: 'manager', default: 'v1', endpoints: ['v1 1', 'v2 2'] };
    await vi.waitFor(() => expect(world.shown()).toEqual({ commit: 7, services: [expected] }));
    await world.instances('v1 127.0.0.1:1', 'v2 127.0.0.1:2');
    await vi.waitFor(() =>
      expect(world.shown()).toEqual({
        commit: 7,
        services: [{ ...expected, endpoints: ['v1 1', 'v2 1'] }],
      }),
    );
    world.state.set(9, world.record(onV2));
    expect(world.shown()).toEqual({
      commit: 9,
      services: [{ ...expected, default: 'v2', endpoints: ['v1 1', 'v2 1'] }],
    });
  });

  test('says that it shows a commit that changes no route, and pushes nothing for it', async () => {
    const world = await aWorld();
    await world.instances('v1 127.0.0.1:1');
    const record = world.record(onV1);
    world.state.set(7, record);
    world.follower.start();
    await vi.waitFor(() => expect(world.shown().commit).toBe(7));
    const pushes = world.proxies.published.length;
    world.state.set(8, { ...record, generation: 2 });
    expect(world.shown().commit).toBe(8);
    expect(world.proxies.published).toHaveLength(pushes);
  });

  test('stays on the commit before where it knows no ready endpoint of the version that gets traffic, with new endpoints all the same, and goes on when it does', async () => {
    const world = await aWorld();
    await world.instances('v1 127.0.0.1:1');
    world.state.set(7, world.record(onV1));
    world.follower.start();
    await vi.waitFor(() => expect(world.shown().commit).toBe(7));
    world.state.set(8, world.record(onV2));
    expect(world.shown()).toMatchObject({ commit: 7, services: [{ default: 'v1' }] });
    expect(world.follower.heldBack()).toEqual([
      'manager: default traffic would come to v2, of which no ready endpoint is known here yet',
    ]);
    await world.instances('v1 127.0.0.1:1 127.0.0.1:4');
    await vi.waitFor(() =>
      expect(world.shown()).toMatchObject({
        commit: 7,
        services: [{ default: 'v1', endpoints: ['v1 2', 'v2 0'] }],
      }),
    );
    await world.instances('v1 127.0.0.1:1', 'v2 127.0.0.1:2');
    await vi.waitFor(() => expect(world.shown()).toMatchObject({ commit: 8, services: [{ default: 'v2' }] }));
    expect(world.follower.heldBack()).toEqual([]);
  });

  test('a service that comes later is shown with its commit, and one that goes is gone', async () => {
    const world = await aWorld();
    await world.instances('v1 127.0.0.1:1');
    const manager = world.record(onV1);
    world.state.set(7, manager);
    world.follower.start();
    await vi.waitFor(() => expect(world.shown().commit).toBe(7));
    world.state.set(8, manager, world.record(onV1, 'billing'));
    await vi.waitFor(() =>
      expect(world.shown()).toMatchObject({
        commit: 8,
        services: [{ service: 'billing', endpoints: ['v1 1', 'v2 0'] }, { service: 'manager' }],
      }),
    );
    world.state.set(9, manager);
    expect(world.shown()).toMatchObject({ commit: 9, services: [{ service: 'manager' }] });
  });

  test('shows nothing new after it was stopped', async () => {
    const world = await aWorld();
    await world.instances('v1 127.0.0.1:1', 'v2 127.0.0.1:2');
    world.state.set(7, world.record(onV1));
    world.follower.start();
    await vi.waitFor(() => expect(world.shown().commit).toBe(7));
    world.follower.stop();
    world.state.set(8, world.record(onV2));
    expect(world.shown()).toMatchObject({ commit: 7, services: [{ default: 'v1' }] });
  });
});
