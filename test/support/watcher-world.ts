/**
 * A box with a watcher, for tests: a folder, releases, a controller whose goal state is set by hand behind the real server,
 * and the delegates that really run.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/adapters/clock.ts';
import { ProcessesRuntime } from '../../src/adapters/processes/runtime.ts';
import type { Artifact, GoalState, WatcherIdentity, WatcherReport } from '../../src/model/goal-state.ts';
import { serviceName, tenantName } from '../../src/model/names.ts';
import type { WatcherPolicy, WatcherSettings } from '../../src/model/watcher.ts';
import { delegateId } from '../../src/model/workflow.ts';
import type { Watchers } from '../../src/ports/watchers.ts';
import { serveWatcher } from '../../src/serve-watcher.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startWatcherServer, type WatcherServer } from '../../src/watcher-server/server.ts';
import { policy } from './boxes.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { aliveOf } from './processes-world.ts';
import { makeReleases, type Releases } from './releases.ts';

const PROGRAM = fileURLToPath(new URL('programs/delegate.ts', import.meta.url));
const SERVICE = serviceName('manager');

/** A controller of one box: what it is told is set by hand. */
export class HandController implements Watchers {
  goal: GoalState | undefined;
  reason = 'nothing is wanted yet';
  identity: WatcherIdentity | undefined;
  /** Absent: what the box has applied. */
  replaces: number | undefined;
  readonly reports: WatcherReport[] = [];
  #changed: () => void = () => undefined;

  connect(identity: WatcherIdentity, listener: { changed(): void }): ReturnType<Watchers['connect']> {
    this.identity = identity;
    this.#changed = () => listener.changed();
    let isHeard = false;
    return {
      report: (report) => {
        isHeard = true;
        this.reports.push(report);
        listener.changed();
      },
      answer: () => (isHeard ? this.answer() : undefined),
      close: () => undefined,
    };
  }

  poll(identity: WatcherIdentity, report: WatcherReport): ReturnType<Watchers['poll']> {
    this.identity = identity;
    this.reports.push(report);
    return this.answer();
  }

  /** Made for what the box has applied, as the real one does, where the test does not say what it replaces. */
  answer(): ReturnType<Watchers['poll']> {
    if (this.goal === undefined) return { kind: 'NoGoal', reason: this.reason };
    const applied = this.report?.applied ?? 0;
    const replaces = this.replaces ?? (applied === this.goal.generation ? this.goal.replaces : applied);
    return { kind: 'Goal', goal: { ...this.goal, replaces } };
  }

  tell(goal: GoalState, replaces?: number): void {
    this.goal = goal;
    this.replaces = replaces;
    this.#changed();
  }

  get report(): WatcherReport | undefined {
    return this.reports.at(-1);
  }
}

export interface WatcherWorld {
  readonly folder: string;
  readonly releases: Releases;
  readonly controller: HandController;
  readonly settings: WatcherSettings;
  server: WatcherServer;
  /** A goal state that replaces the last one. */
  want(artifacts: readonly Artifact[], changes?: Partial<GoalState>): GoalState;
  /** A release whose delegate behaves as its files in the control folder say. */
  release(version: string, extra?: readonly string[]): Promise<Artifact>;
  /** Makes or removes a file that changes a version while it runs. */
  set(
    version: string,
    what: 'tasks' | 'unready' | 'crash' | 'hang' | 'refused',
    value?: string | false,
  ): void;
  start(changes?: { policy?: Partial<WatcherPolicy>; settings?: Partial<WatcherSettings> }): RunningWatcher;
  /** Versions that were started, in their order. */
  diary(): Promise<readonly string[]>;
  /** Processes of delegates that live now. */
  alive(): readonly number[];
  /** Resolves when the controller was told that these versions stand so, and no others. */
  reported(states: Readonly<Record<string, string>>): Promise<void>;
  reasonOf(version: string): string;
  /** What the watcher's own door on the box answers. */
  ask<Answer>(method: string, path: string): Promise<Answer>;
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  dispose(): Promise<void>;
}

export interface RunningWatcher {
  stop(): Promise<void>;
  readonly proven: () => boolean;
}

export async function createWatcherWorld(): Promise<WatcherWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-watcher-'));
  const control = join(folder, 'control');
  mkdirSync(control);
  const releases = makeReleases(join(folder, 'releases'));
  const controller = new HandController();
  const port = await freePort();
  const from = 20_000 + 20 * Math.floor(Math.random() * 500);
  const settings: WatcherSettings = {
    identity: {
      id: delegateId('box-1'),
      service: SERVICE,
      tenant: tenantName('acme'),
      group: 'default',
      tags: [],
      maxVersions: 3,
    },
    controller: { address: `127.0.0.1:${port}`, tls: false },
    publicKeyFiles: [releases.publicKeyFile],
    dataFolder: join(folder, 'box'),
    ports: { from, to: from + 19 },
    environment: { WORLD: folder, DIARY: join(folder, 'diary') },
    startDeadline: 60_000,
  };
  const running = new Set<RunningWatcher>();
  const released = new Map<string, Artifact>();
  let generation = 0;
  const listen = (): Promise<WatcherServer> =>
    startWatcherServer({
      watchers: controller,
      clock: systemClock,
      host: '127.0.0.1',
      port,
      isReady: () => true,
      times: { heartbeat: 1_000 },
    });
  const world: WatcherWorld = {
    folder,
    releases,
    controller,
    settings,
    server: await listen(),
    want(artifacts, changes = {}) {
      const goal: GoalState = {
        service: SERVICE,
        generation: generation + 1,
        replaces: generation,
        versions: artifacts.map((artifact) => ({ version: artifact.version, artifact })),
        decommission: false,
        ...changes,
      };
      generation = goal.generation;
      controller.tell(goal, changes.replaces);
      return goal;
    },
    release: async (version, extra = []) => {
      const made = released.get(version);
      if (made !== undefined) return made;
      const artifact = await releases.archive(
        `delegate-${version}`,
        { 'release.txt': version },
        {
          version,
          command: [
            process.execPath,
            PROGRAM,
            '--port',
            '${port}',
            '--version',
            '${version}',
            '--diary',
            '${env.DIARY}',
            '--control',
            control,
            ...extra,
          ],
        },
      );
      released.set(version, artifact);
      return artifact;
    },
    set(version, what, value = '') {
      const file = join(control, `${version}.${what}`);
      if (value === false) rmSync(file, { force: true });
      else writeFileSync(file, value);
    },
    start({ policy: allowed = {}, settings: changed = {} } = {}) {
      const stop = new AbortController();
      let isProven = false;
      const ended = serveWatcher({
        settings: { ...settings, ...changed },
        policy: policy(allowed),
        publicKeys: [releases.publicKey],
        log: createLog({ level: 'silent' }),
        release: '0.0.0',
        slot: 'installed',
        signal: stop.signal,
        onProven: () => {
          isProven = true;
        },
      });
      const watcher: RunningWatcher = {
        proven: () => isProven,
        async stop() {
          running.delete(watcher);
          stop.abort();
          await ended;
        },
      };
      running.add(watcher);
      return watcher;
    },
    async diary() {
      const text = await readFile(join(folder, 'diary'), 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split(' ')[0] ?? '');
    },
    alive: () => [...aliveOf(folder).values()].flat(),
    async reported(states) {
      await eventually(
        () => {
          const said = Object.fromEntries(
            (controller.report?.versions ?? []).map((one) => [one.version, one.state]),
          );
          if (JSON.stringify(said) === JSON.stringify(states)) return true;
          throw new Error(`reported ${JSON.stringify(controller.report)}`);
        },
        { within: 60_000, what: JSON.stringify(states) },
      );
    },
    reasonOf: (version) => controller.report?.versions.find((one) => one.version === version)?.reason ?? '',
    async ask<Answer>(method: string, path: string) {
      const socketPath = join(settings.dataFolder, 'watcher.sock');
      const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
        request({ socketPath, method, path }).on('response', resolve).on('error', reject).end();
      });
      return (await json(response)) as Answer;
    },
    stopServer: () => world.server.close(),
    async startServer() {
      world.server = await listen();
    },
    async dispose() {
      for (const watcher of running) await watcher.stop();
      await world.server.close();
      rmSync(control, { recursive: true, force: true });
      const runtime = await ProcessesRuntime.open({
        clock: systemClock,
        stateFolder: join(settings.dataFolder, 'processes'),
      });
      for (const service of runtime.services()) await runtime.forget(service);
      await eventually(() => runtime.services().length === 0, { within: 20_000 });
      await runtime.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}
