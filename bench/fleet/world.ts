/** What surrounds a run: a controller as a process, one Envoy as its gateway, and the services behind it, on free ports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type AdminClient, adminClient } from '../../src/admin/client.ts';
import { eventually } from '../../test/support/eventually.ts';
import { Child } from '../../test/support/system/child.ts';
import { ControllerProcess } from '../../test/support/system/controller.ts';
import { serviceDocument } from '../../test/support/system/documents.ts';
import { startGateway } from '../../test/support/system/gateway.ts';
import { freePortRange } from '../../test/support/system/ports.ts';

export const SERVICE = 'manager';
/** The version that is there from the beginning, whose delegates come. */
export const FIRST = 'v1';

const ACTOR = 'bench';
/**
 * All of them are below those of outgoing connections, of which there are many thousands: what was killed finds its port
 * free, and nobody who asks for it in between is answered by himself.
 */
const PORTS = 6;
const MANAGER = join(import.meta.dirname, '../../examples/manager/main.ts');

/** What is asked of the controller. */
export interface Wish {
  readonly wanted: string;
  /** Of instances, by version. */
  readonly addresses: Readonly<Record<string, readonly string[]>>;
  /** Further parts of the spec. */
  readonly more: object;
}

export class World {
  readonly controller: ControllerProcess;
  readonly watcherPort: number;
  readonly gatewayPort: number;
  /** For what is behind the gateway. */
  readonly otherPorts: readonly number[];
  readonly #folder: string;
  readonly #closing = new AsyncDisposableStack();
  #admin: AdminClient | undefined;
  #gatewayPid = 0;

  private constructor(parts: {
    folder: string;
    controller: ControllerProcess;
    ports: { watchers: number; gateway: number; others: readonly number[] };
  }) {
    this.#folder = parts.folder;
    this.controller = parts.controller;
    this.watcherPort = parts.ports.watchers;
    this.gatewayPort = parts.ports.gateway;
    this.otherPorts = parts.ports.others;
    this.#closing.defer(() => rm(parts.folder, { recursive: true, force: true }));
  }

  /** Starts the controller and the gateway, which has nothing to route yet. */
  static async open(): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-fleet-'));
    const first = await freePortRange(PORTS);
    const [xds, http, watchers, entrance, ...others] = Array.from(
      { length: PORTS },
      (_, index) => first + index,
    );
    const controller = await ControllerProcess.in(folder, undefined, { xds: xds ?? 0, http: http ?? 0 });
    const world = new World({
      folder,
      controller,
      ports: { watchers: watchers ?? 0, gateway: entrance ?? 0, others },
    });
    try {
      await world.startController();
      world.defer(() => world.controller.stop());
      const { server, xdsPort } = world.controller;
      const gateway = await startGateway({ name: 'gateway', server, xdsPort });
      world.#gatewayPid = gateway.pid;
      world.defer(() => gateway.stop());
      return world;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  get gatewayPid(): number {
    return this.#gatewayPid;
  }

  get controllerPid(): number {
    const { pid } = this.controller;
    if (pid === undefined) throw new Error('the controller does not run');
    return pid;
  }

  async startController(): Promise<void> {
    await this.controller.start([`--watcher-address=127.0.0.1:${this.watcherPort}`, '--log-level=warn']);
  }

  defer(undo: () => void | Promise<void>): void {
    this.#closing.defer(undo);
  }

  async close(): Promise<void> {
    this.#admin?.close();
    await this.#closing.disposeAsync();
  }

  /** One connection for all calls, as a console would have; it finds the controller again after a restart. */
  get admin(): AdminClient {
    this.#admin ??= adminClient(this.controller.server);
    return this.#admin;
  }

  /** An instance of the example manager, with the store of this world. */
  async manager(instance: string, port: number): Promise<Child> {
    const child = await Child.start({
      name: `manager ${instance}`,
      command: process.execPath,
      arguments: [
        '--disable-warning=ExperimentalWarning',
        MANAGER,
        `--version=${FIRST}`,
        `--instance=${instance}`,
        `--port=${port}`,
        `--store=sqlite:${join(this.#folder, 'workflow.db')}`,
      ],
      logFile: join(this.#folder, `${instance}.log`),
    });
    const health = `http://127.0.0.1:${port}/healthz`;
    await child.until('an answer', async () => (await fetch(health)).ok);
    return child;
  }

  /** Applies the service; resolves with its commit. */
  async apply({ wanted, addresses, more }: Wish): Promise<void> {
    const versions = Object.entries(addresses).map(([name, of]) => ({ name, addresses: of }));
    const text = serviceDocument({
      name: SERVICE,
      version: wanted,
      listeners: [{ name: 'gateway', port: this.gatewayPort }],
      runtime: { endpoints: { versions } },
      more,
    });
    await this.admin.call('apply', {
      documents: [{ file: 'bench', text }],
      actor: ACTOR,
      waitTimeout: durationFromMs(0),
    });
  }

  /** Resolves when the gateway can route to the service. */
  async routed(): Promise<void> {
    await eventually(() => this.#hasRoutes(), { what: 'the gateway in sync', within: 30_000, every: 50 });
  }

  async #hasRoutes(): Promise<boolean> {
    const { service } = await this.admin.call('getService', { name: SERVICE });
    const { proxies } = await this.admin.call('listProxies', {});
    const isThere = service?.versions.some(({ readyEndpoints }) => readyEndpoints > 0) === true;
    return (
      isThere && proxies.some(({ connected, inSync, publication }) => connected && inSync && publication > 0n)
    );
  }

  /** Says what watchers fetch for a version; nobody fetches it here. */
  async publishArtifact(version: string): Promise<void> {
    await this.admin.call('publishArtifact', {
      change: { service: SERVICE, actor: ACTOR, waitTimeout: durationFromMs(0) },
      artifact: artifactOf(version),
    });
  }

  /** Bytes that the controller's JavaScript uses, in KB; what nobody uses any more and is not collected yet is among them. */
  async controllerHeap(): Promise<number> {
    return (await sample(this.controller.httpAddress, 'nodejs_heap_size_used_bytes')) / 1024;
  }
}

/** An artifact as large as real ones are described. */
export function artifactOf(version: string) {
  return {
    version,
    url: `https://artifacts.example.com/${SERVICE}-${version}-0123456789ab.tar.gz`,
    sha256: '0123456789abcdef'.repeat(4),
    size: 40_000_000n,
    signature: `${'A'.repeat(86)}==`,
    command: ['${artifact}/delegate', '--port', '${port}', '--data', '${data}'],
  };
}

/** The value of a metric without labels, or the sum of its series. */
export async function sample(address: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) throw new Error(`${address} has no metric ${name}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
