/** A real controller with a watcher server, a scripted delegate source, and boxes that do what they are told over the real wire. */
import { systemClock } from '../../src/adapters/clock.ts';
import type { Artifact, BoxVersionState } from '../../src/model/goal-state.ts';
import { versionName } from '../../src/model/names.ts';
import type { Store } from '../../src/ports/store.ts';
import { startWatcherServer, type WatcherServer } from '../../src/watcher-server/server.ts';
import { ControllerWorld, manager, managerDocument, operator } from './controller-world.ts';
import { DelegatesAtManagers } from './delegates-at-managers.ts';
import { reportFields, WatcherClient, type WatcherStream } from './watcher-client.ts';
import { watcherReport } from './watchers.ts';

/** A manager with all versions up to the one that is wanted; `delegates` is what stands in spec.delegates. */
export function fleetDocument(
  options: { wanted?: string; delegates?: string; retention?: string } = {},
): string {
  const { wanted = 'v1', delegates = 'grpc: {}', retention = '{keep: 2, max: 3}' } = options;
  const last = Number(wanted.slice(1));
  const versions = Object.fromEntries(
    Array.from({ length: last }, (_, index) => [`v${index + 1}`, [9_001 + index]]),
  );
  return `${managerDocument({ wanted, versions })}  delegates: {${delegates}}
  retention: ${retention}
  traffic: {promotion: Automatic}
`;
}

export function artifact(version: string, more: Partial<Artifact> = {}): Artifact {
  return {
    service: manager,
    version: versionName(version),
    url: `https://artifacts.example/${version}`,
    sha256: 'a'.repeat(64),
    size: 1_000,
    signature: `${'A'.repeat(86)}==`,
    command: ['${artifact}/delegate'],
    ...more,
  };
}

/** How a box takes a version that it is told. */
export type Behaviour = (version: string) => BoxVersionState;

/** A box with its watcher and its delegates. */
export class Box {
  readonly id: string;
  readonly stream: WatcherStream;
  /** Ready versions, and what the others are. */
  readonly #states = new Map<string, BoxVersionState>();
  #applied = 0;
  #seen = 0;

  constructor(
    id: string,
    parts: {
      readonly client: WatcherClient;
      readonly delegates: DelegatesAtManagers;
      readonly tenant: string;
      readonly group?: string;
      readonly takes?: Behaviour;
    },
  ) {
    const { client, delegates, tenant, group = '', takes = () => 'Ready' } = parts;
    this.id = id;
    this.stream = client.follow({ id, service: 'manager', tenant, group });
    this.stream.onAnswer(({ goalState }) => {
      if (goalState === undefined) return;
      this.#seen = Number(goalState.generation);
      this.#applied = this.#seen;
      const wanted = goalState.versions.map(({ version }) => version);
      for (const version of this.#states.keys()) {
        if (wanted.includes(version)) continue;
        this.#states.delete(version);
        delegates.leave(id, version);
      }
      for (const version of wanted) {
        const state = takes(version);
        this.#states.set(version, state);
        if (state === 'Ready') delegates.connect(id, tenant, version);
      }
      this.report();
    });
    this.report();
  }

  /** The versions that it runs. */
  get versions(): readonly string[] {
    return [...this.#states.keys()].toSorted();
  }

  report(): void {
    const report = watcherReport(this.#applied, Object.fromEntries(this.#states));
    this.stream.report(reportFields({ ...report, seen: this.#seen }));
  }
}

export class FleetWorld {
  readonly world: ControllerWorld;
  readonly delegates: DelegatesAtManagers;
  readonly server: WatcherServer;
  readonly #clients: WatcherClient[] = [];

  private constructor(world: ControllerWorld, delegates: DelegatesAtManagers, server: WatcherServer) {
    this.world = world;
    this.delegates = delegates;
    this.server = server;
  }

  static async start(options: { store?: Store; delegates?: DelegatesAtManagers } = {}): Promise<FleetWorld> {
    const delegates = options.delegates ?? new DelegatesAtManagers();
    const world = await ControllerWorld.start({
      delegateSource: delegates,
      ...(options.store && { store: options.store }),
    });
    const server = await startWatcherServer({
      watchers: world.controller.fleet,
      clock: systemClock,
      host: '127.0.0.1',
      port: 0,
      isReady: () => true,
    });
    return new FleetWorld(world, delegates, server);
  }

  /** A box whose watcher connects. */
  box(id: string, tenant: string, more: { group?: string; takes?: Behaviour } = {}): Box {
    const client = new WatcherClient(this.server.port);
    this.#clients.push(client);
    return new Box(id, { client, delegates: this.delegates, tenant, ...more });
  }

  async publish(...versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      await this.world.operations.publishArtifact({
        ...this.world.request(),
        artifact: artifact(version),
      });
    }
  }

  /** Wants another version, as an apply does. */
  async want(wanted: string, options: Parameters<typeof fleetDocument>[0] = {}): Promise<void> {
    await this.world.operations.apply({
      caller: operator,
      documents: [{ file: 'manager.yaml', text: fleetDocument({ ...options, wanted }) }],
      expectedGenerations: new Map(),
      dryRun: false,
    });
  }

  rollout() {
    return this.world.operations.rollout(manager);
  }

  async restart(): Promise<FleetWorld> {
    await this.#leave();
    await this.world.stop();
    return FleetWorld.start({ store: this.world.store, delegates: this.delegates });
  }

  async stop(): Promise<void> {
    await this.#leave();
    await this.world.stop();
  }

  async #leave(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close();
  }
}
