/**
 * A box at a customer's site: a folder, a watcher that is started and killed from outside, and the network between the box
 * and the rest, which can be cut, go silent, and heal. What the watcher has started is no child of ours.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../system/child.ts';
import { SWITCHYARD } from '../system/command-line.ts';
import { freePortRange } from '../system/ports.ts';
import { Relay } from '../system/relay.ts';

export interface BoxOptions {
  readonly name: string;
  readonly tenant: string;
  readonly service: string;
  /** The folder of the world; the box has its own in it. */
  readonly world: string;
  readonly gatewayPort: number;
  readonly watcherPort: number;
  readonly publicKeyFile: string;
}

/** Of delegates: more than there are versions at a time, since a port may rest for a while. */
const PORTS = 10;

export class Box {
  readonly name: string;
  readonly tenant: string;
  /** The file of the watcher. */
  readonly config: string;
  readonly #folder: string;
  readonly #toGateway: Relay;
  readonly #toController: Relay;
  #watcher: Child | undefined;

  private constructor(parts: BoxOptions & { folder: string; toGateway: Relay; toController: Relay }) {
    this.name = parts.name;
    this.tenant = parts.tenant;
    this.#folder = parts.folder;
    this.config = join(parts.folder, 'watcher.json');
    this.#toGateway = parts.toGateway;
    this.#toController = parts.toController;
  }

  /** Writes its files; nothing runs yet. */
  static async prepare(options: BoxOptions): Promise<Box> {
    const { name, tenant, service, world, publicKeyFile } = options;
    const folder = join(world, 'boxes', name);
    await mkdir(folder, { recursive: true });
    const [toGateway, toController] = await Promise.all([
      Relay.to(options.gatewayPort),
      Relay.to(options.watcherPort),
    ]);
    const box = new Box({ ...options, folder, toGateway, toController });
    const from = await freePortRange(PORTS);
    const document = {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'Watcher',
      spec: {
        id: name,
        service,
        tenant,
        controller: { address: `127.0.0.1:${toController.port}` },
        publicKeyFiles: [publicKeyFile],
        dataFolder: join(folder, 'watcher'),
        ports: { from, to: from + PORTS - 1 },
        environment: { GATEWAY: `127.0.0.1:${toGateway.port}`, WORLD: world },
        maxVersions: 5,
      },
    };
    // JSON is YAML too.
    await writeFile(box.config, JSON.stringify(document));
    return box;
  }

  /** Starts its watcher, for the first time or again. */
  async start(): Promise<void> {
    if (this.#watcher?.running === true) throw new Error(`the watcher of ${this.name} runs already`);
    this.#watcher = await Child.start({
      name: `the watcher of ${this.name}`,
      command: SWITCHYARD,
      arguments: ['watcher', 'run', '--config', this.config],
      logFile: join(this.#folder, 'watcher.log'),
    });
  }

  /** Of the launcher; absent while it does not run. */
  get watcherPid(): number | undefined {
    return this.#watcher?.running === true ? this.#watcher.pid : undefined;
  }

  /** kill -9 of the watcher; its delegates go on. */
  async kill(): Promise<void> {
    this.#watcher?.signal('SIGKILL');
    await this.#watcher?.ended;
  }

  /** Connections to the gateway break, and none is made; with `all` those to the controller too. */
  cut(reach: 'gateway' | 'all'): void {
    this.#toGateway.cut();
    if (reach === 'all') this.#toController.cut();
  }

  /** Nothing is told of it: bytes just do not arrive any more. */
  silence(): void {
    this.#toGateway.silence();
  }

  heal(): void {
    this.#toGateway.heal();
    this.#toController.heal();
  }

  /** Stops the watcher; delegates go on. */
  async stop(): Promise<void> {
    await this.#watcher?.stop();
    await Promise.all([this.#toGateway.close(), this.#toController.close()]);
  }

  /** The end of what the watcher said, for failures. */
  lastLines(): string {
    return this.#watcher?.lastLines() ?? '';
  }
}
