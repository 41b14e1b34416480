/**
 * What the demo runs: a controller as a child process, an Envoy gateway, and the versions that the controller starts.
 * Everything lives in one temporary folder and is gone after `close`, whatever happened before.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envoy } from '../../test/support/envoy.ts';
import { freePort } from '../../test/support/free-port.ts';
import { type CommandResult, switchyard } from '../../test/support/system/command-line.ts';
import { ControllerProcess } from '../../test/support/system/controller.ts';
import { startGateway } from '../../test/support/system/gateway.ts';
import { freePortRange } from '../../test/support/system/ports.ts';
import { demoDocument, INSTANCE_PORTS } from './spec.ts';

export class World {
  readonly folder: string;
  readonly controller: ControllerProcess;
  readonly gatewayAddress: { readonly host: string; readonly port: number };
  readonly #firstPort: number;
  #gateway: Envoy | undefined;

  private constructor(parts: {
    folder: string;
    controller: ControllerProcess;
    gatewayPort: number;
    firstPort: number;
  }) {
    this.folder = parts.folder;
    this.controller = parts.controller;
    this.gatewayAddress = { host: '127.0.0.1', port: parts.gatewayPort };
    this.#firstPort = parts.firstPort;
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

  async startGateway(): Promise<void> {
    const { server, xdsPort } = this.controller;
    this.#gateway = await startGateway({ name: 'gateway', server, xdsPort });
  }

  /** Writes the document that asks for a version and tells where it is. */
  document(version: string): string {
    const file = join(this.folder, `manager-${version}.yaml`);
    const { port: gatewayPort } = this.gatewayAddress;
    writeFileSync(file, demoDocument({ version, gatewayPort, firstPort: this.#firstPort }));
    return file;
  }

  /** Runs `switchyard` against the controller. */
  run(args: readonly string[]): Promise<CommandResult> {
    return switchyard(this.controller.server, args);
  }

  /** Stops everything that was started and removes the folder. */
  async close(): Promise<void> {
    await this.#gateway?.stop();
    await this.#down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Only a controller can stop its instances: one that was killed on the way is started once more. */
  async #down(): Promise<void> {
    if (!this.controller.started) return;
    if (this.controller.pid === undefined) await this.controller.start();
    const { exitCode, stderr } = await this.run(['down', '--yes']);
    if (exitCode !== 0) console.error(`switchyard down failed; instances may still run:\n${stderr}`);
    await this.controller.stop();
  }
}
