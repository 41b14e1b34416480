/**
 * A whole system: a controller, a gateway, managers that the controller runs over one store, and boxes of two tenants
 * with real watchers, which run the delegates. Everything lives in one folder, and nothing is left when it closes.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { switchyard } from '../system/command-line.ts';
import type { ServiceDocument } from '../system/documents.ts';
import { freePortRange } from '../system/ports.ts';
import { Site } from '../system/site.ts';
import type { Box } from './box.ts';
import { prepareBoxes } from './boxes.ts';
import { DelegateReleases } from './delegate-releases.ts';
import { aliveIn, killNow, membersOf } from './machine.ts';

export const SERVICE = 'manager';
const REPLICAS = 2;
/** Versions that live at a time, and one that is on its way out. */
const MANAGER_PORTS = REPLICAS * 5;
/** With so many others to start on the same machine. */
const STARTED_WITHIN_MS = 120_000;
/** So soon is the work of whoever died free again. */
const LEASE_MS = 4_000;

export interface WorldOptions {
  /** The first version. */
  readonly version: string;
  /** What managers are told to keep executions in, given the folder of the world. */
  readonly store: (folder: string) => string;
}

interface Parts {
  readonly site: Site;
  readonly store: string;
  readonly boxes: readonly Box[];
  readonly url: string;
  readonly web: string;
  readonly releases: DelegateReleases;
  readonly watcherPort: number;
}

export class World {
  readonly site: Site;
  readonly store: string;
  readonly boxes: readonly Box[];
  /** `http://127.0.0.1:PORT` of the gateway. */
  readonly url: string;
  /** Where tasks call to. */
  readonly web: string;
  readonly diary: string;
  readonly #releases: DelegateReleases;
  readonly #watcherPort: number;

  private constructor(parts: Parts) {
    this.site = parts.site;
    this.store = parts.store;
    this.boxes = parts.boxes;
    this.url = parts.url;
    this.web = parts.web;
    this.diary = join(parts.site.folder, 'diary');
    this.#releases = parts.releases;
    this.#watcherPort = parts.watcherPort;
  }

  /** Brings everything up: resolves when the first version is primary and every box has its delegate registered. */
  static async open(options: WorldOptions): Promise<World> {
    const site = await Site.open();
    try {
      return await opened(site, options, (parts) => new World(parts));
    } catch (error) {
      await close(site, []);
      throw error;
    }
  }

  get folder(): string {
    return this.site.folder;
  }

  killController(): Promise<void> {
    return this.site.controller.kill();
  }

  startController(): Promise<void> {
    return this.site.controller.start(controllerFlags(this.#watcherPort), STARTED_WITHIN_MS);
  }

  /** Releases the delegate of a version: while the controller is away it is told again. */
  async publish(version: string): Promise<void> {
    const { service, command, size, ...artifact } = await this.#releases.publish(SERVICE, version);
    const request = {
      change: { service, actor: 'story', reason: 'release' },
      artifact: { ...artifact, size: BigInt(size), command: [...command] },
    };
    await eventually(() => this.site.call('publishArtifact', request), {
      what: `the artifact of ${version} to be published`,
      within: 60_000,
      every: 500,
    });
  }

  /** Stops everything. Answers what was still alive afterwards: nothing, if all was well. */
  close(): Promise<readonly string[]> {
    return close(this.site, this.boxes);
  }
}

async function opened(
  site: Site,
  { version, store }: WorldOptions,
  make: (parts: Parts) => World,
): Promise<World> {
  const { folder } = site;
  const [gatewayPort, watcherPort, from] = await Promise.all([
    freePort(),
    freePort(),
    freePortRange(MANAGER_PORTS),
  ]);
  await site.controller.start(controllerFlags(watcherPort), STARTED_WITHIN_MS);
  site.defer(() => site.controller.stop());
  await site.gateway({ name: 'gateway' });
  const named = store(folder);
  const releases = await DelegateReleases.prepare(join(folder, 'releases'), (...args) => site.ok(...args));
  const web = await serveSums(site);
  const boxes = await prepareBoxes({
    service: SERVICE,
    world: folder,
    gatewayPort,
    watcherPort,
    publicKeyFile: releases.publicKeyFile,
  });
  const world = make({
    site,
    store: named,
    boxes,
    url: `http://127.0.0.1:${gatewayPort}`,
    web,
    releases,
    watcherPort,
  });
  await site.apply(document({ version, gatewayPort, folder, store: named, from }));
  await world.publish(version);
  for (const box of boxes) await box.start();
  await eventually(() => membersOf(folder).delegates.length === boxes.length, {
    what: 'a delegate on each box',
    within: STARTED_WITHIN_MS,
    every: 200,
  });
  await site.inSync('gateway');
  return world;
}

function controllerFlags(watcherPort: number): readonly string[] {
  return ['--allow-commands', `--watcher-address=127.0.0.1:${watcherPort}`];
}

const MANAGER = join(import.meta.dirname, '..', '..', '..', 'examples', 'manager', 'main.ts');

function document(facts: {
  version: string;
  gatewayPort: number;
  folder: string;
  store: string;
  from: number;
}): ServiceDocument {
  const { version, gatewayPort, folder, store, from } = facts;
  const own = ['--version', '${version}', '--port', '${port}', '--instance', '${instance}'];
  const kept = ['--store', store, '--lease-ms', String(LEASE_MS), '--grace', '3000'];
  return {
    name: SERVICE,
    version,
    listeners: [{ name: 'gateway', port: gatewayPort }],
    runtime: {
      processes: {
        command: [execPath, MANAGER, ...own, ...kept],
        environment: { WORLD: folder },
        instances: REPLICAS,
        ports: { from, to: from + MANAGER_PORTS - 1 },
        readiness: { http: { path: '/healthz' }, interval: '300ms', timeout: '3s' },
        stopGrace: '15s',
        restartBackoff: { initial: '200ms', max: '2s' },
      },
    },
    more: {
      drain: { workflow: {} },
      delegates: { grpc: {}, onMissing: 'Wait' },
      traffic: { steps: [50, 100], stepDuration: '1s', promotion: 'Automatic' },
      retention: { keep: 2, max: 3 },
    },
  };
}

/** Answers `/plus?n=N` with {"sum": N + 1}. */
async function serveSums(site: Site): Promise<string> {
  const server = createServer((request, response) => {
    const n = Number(new URL(request.url ?? '/', 'http://web').searchParams.get('n'));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ sum: n + 1 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  site.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** How long processes that were told to end, or have lost what they worked for, may take. */
const ENDED_WITHIN_MS = 30_000;

async function close(site: Site, boxes: readonly Box[]): Promise<readonly string[]> {
  await Promise.all(boxes.map((box) => box.stop()));
  // Nobody looks after the delegates any more; a controller alone can stop its managers.
  for (const { pid } of membersOf(site.folder).delegates) killNow(pid);
  await switchyard(site.controller.server, ['down', '--yes', '--reason=over']);
  const left = await eventually(() => aliveIn(site.folder).length === 0, {
    within: ENDED_WITHIN_MS,
    every: 100,
  }).then(
    () => [],
    () => aliveIn(site.folder),
  );
  for (const { pid } of left) killNow(pid);
  await site.close();
  return left.map(({ pid, command }) => `${pid} ${command}`);
}
