/**
 * What the demo runs: a controller as a child process, an Envoy gateway, a Prometheus, the versions that the controller
 * starts, and customers' boxes with watchers, which start the delegates. Everything lives in one temporary folder and is gone after `close`, whatever happened before.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminClient, type RequestInit, type UnaryMethod } from '../../src/admin/client.ts';
import type { Response } from '../../src/admin/contract.ts';
import { type Envoy } from '../../test/support/envoy.ts';
import { eventually } from '../../test/support/eventually.ts';
import { type StoreReader, storeReader } from '../../test/support/executions/recorded.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type PrometheusServer, startPrometheus } from '../../test/support/prometheus.ts';
import { type CommandResult, switchyard } from '../../test/support/system/command-line.ts';
import { ControllerProcess } from '../../test/support/system/controller.ts';
import { startGateway } from '../../test/support/system/gateway.ts';
import { freePortRange } from '../../test/support/system/ports.ts';
import { Boxes, sweep } from './boxes.ts';
import { demoDocument, INSTANCE_PORTS, SCRAPE_INTERVAL_MS } from './spec.ts';

const CALL_WITHIN_MS = 2000;
/** A delegate that no manager has heard of for so long is not there. */
const SEEN_WITHIN_MS = 120_000;

interface BuildInfo {
  readonly data: { readonly version: string };
}

export class World {
  readonly folder: string;
  readonly controller: ControllerProcess;
  readonly gatewayAddress: { readonly host: string; readonly port: number };
  /** Where managers keep executions, for one who only reads. */
  readonly store: StoreReader;
  readonly #storeFile: string;
  readonly #firstPort: number;
  readonly #watcherPort: number;
  #boxes: Boxes | undefined;
  #gateway: Envoy | undefined;
  #prometheus: PrometheusServer | undefined;
  /** Settles when what was being started last has come to an end, so that `close` meets nothing half started. */
  #starting: Promise<void> = Promise.resolve();
  #closing = false;

  private constructor(parts: {
    folder: string;
    controller: ControllerProcess;
    gatewayPort: number;
    firstPort: number;
    watcherPort: number;
  }) {
    this.folder = parts.folder;
    this.controller = parts.controller;
    this.gatewayAddress = { host: '127.0.0.1', port: parts.gatewayPort };
    this.#firstPort = parts.firstPort;
    this.#watcherPort = parts.watcherPort;
    this.#storeFile = join(parts.folder, 'executions.db');
    this.store = storeReader(`sqlite:${this.#storeFile}`);
  }

  /** Chooses a folder and ports; nothing runs yet. */
  static async prepare(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-demo-'));
    const controller = await ControllerProcess.in(folder);
    return new World({
      folder,
      controller,
      gatewayPort: await freePort(),
      firstPort: await freePortRange(INSTANCE_PORTS),
      watcherPort: await freePort(),
    });
  }

  get gateway(): Envoy {
    if (this.#gateway === undefined) throw new Error('the gateway was not started');
    return this.#gateway;
  }

  /** `http://127.0.0.1:PORT` of the gateway. */
  get url(): string {
    return `http://${this.gatewayAddress.host}:${this.gatewayAddress.port}`;
  }

  startGateway(): Promise<void> {
    this.#requireOpen();
    const { server, xdsPort } = this.controller;
    this.#starting = startGateway({ name: 'gateway', server, xdsPort }).then((gateway) => {
      this.#gateway = gateway;
    });
    return this.#starting;
  }

  get prometheus(): PrometheusServer {
    if (this.#prometheus === undefined) throw new Error('Prometheus was not started');
    return this.#prometheus;
  }

  /** Starts a Prometheus that scrapes the controller and the gateway. */
  startPrometheus(): Promise<void> {
    this.#requireOpen();
    const jobs = [
      { job: 'switchyard', targets: [this.controller.httpAddress] },
      { job: 'envoy', targets: [new URL(this.gateway.admin).host], path: '/stats/prometheus' },
    ];
    this.#starting = startPrometheus({ jobs, scrapeInterval: SCRAPE_INTERVAL_MS }).then((prometheus) => {
      this.#prometheus = prometheus;
    });
    return this.#starting;
  }

  get boxes(): Boxes {
    if (this.#boxes === undefined) throw new Error('the boxes were not set up');
    return this.#boxes;
  }

  /** Sets the boxes up, and starts their watchers. */
  startBoxes(publicKeyFile: string): Promise<void> {
    this.#requireOpen();
    const { folder } = this;
    const { port: gatewayPort } = this.gatewayAddress;
    this.#starting = (async () => {
      this.#boxes = await Boxes.prepare({
        folder,
        gatewayPort,
        watcherPort: this.#watcherPort,
        publicKeyFile,
      });
      await this.#boxes.start();
    })();
    return this.#starting;
  }

  /** Boxes whose delegate of a version no manager has registered, by the store's own table. */
  async missingAt(version: string): Promise<readonly string[]> {
    const since = Date.now() - SEEN_WITHIN_MS;
    const there = new Set(
      (await this.store.registered())
        .filter((each) => each.version === version && each.lastSeen >= since)
        .map(({ box }) => box),
    );
    return this.boxes.all.map(({ name }) => name).filter((name) => !there.has(name));
  }

  async prometheusVersion(): Promise<string> {
    const { data } = (await this.prometheus.get('/api/v1/status/buildinfo')) as BuildInfo;
    return data.version;
  }

  /** Writes the document that asks for a version and tells where it is. */
  document(version: string): string {
    const file = join(this.folder, `manager-${version}.yaml`);
    const { port: gatewayPort } = this.gatewayAddress;
    const text = demoDocument({
      version,
      folder: this.folder,
      gatewayPort,
      storeFile: this.#storeFile,
      prometheus: this.prometheus.url,
      firstPort: this.#firstPort,
    });
    writeFileSync(file, text);
    return file;
  }

  /** Runs `switchyard` against the controller. */
  async run(args: readonly string[]): Promise<CommandResult> {
    this.#requireOpen();
    return switchyard(this.controller.server, args);
  }

  /** Calls the admin API, on a connection of its own: the controller may have been another process a moment ago. */
  async call<M extends UnaryMethod>(method: M, request: RequestInit<M>): Promise<Response<M>> {
    const client = adminClient(this.controller.server);
    try {
      return await client.call(method, request, new Date(Date.now() + CALL_WITHIN_MS));
    } finally {
      client.close();
    }
  }

  /** Resolves when the gateway has followed all that the controller has to say. */
  async inSync(): Promise<void> {
    const isThere = async () => {
      const { proxies } = await this.call('listProxies', {});
      return proxies.some(({ connected, inSync }) => connected && inSync);
    };
    await eventually(isThere, { what: 'the gateway in step with the controller', within: 30_000 });
  }

  async startController(): Promise<void> {
    this.#requireOpen();
    await this.#controllerUp();
  }

  /** kill -9. */
  async killController(): Promise<void> {
    this.#requireOpen();
    await this.controller.kill();
  }

  /** Stops everything that was started and removes the folder. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#starting.catch(() => {});
    await this.#boxes?.stop();
    await this.#prometheus?.stop();
    await this.#gateway?.stop();
    await this.#down();
    sweep(this.folder);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Only a controller can stop its instances: one that was killed, or heard Ctrl-C too, is started once more. */
  async #down(): Promise<void> {
    if (!this.controller.started || (await this.#stopInstances())) return;
    await this.controller.stop();
    await this.#controllerUp();
    if (!(await this.#stopInstances())) console.error('switchyard down failed; instances may still run');
  }

  #controllerUp(): Promise<void> {
    return this.controller.start(['--allow-commands', `--watcher-address=127.0.0.1:${this.#watcherPort}`]);
  }

  async #stopInstances(): Promise<boolean> {
    if (this.controller.pid === undefined) return false;
    const { exitCode } = await switchyard(this.controller.server, ['down', '--yes']);
    await this.controller.stop();
    return exitCode === 0;
  }

  /** A story that goes on while everything is being stopped must not start anything again. */
  #requireOpen(): void {
    if (this.#closing) throw new Error('the demo is being stopped');
  }
}
