/**
 * A replica of the controller as a process of its own, on an address of its own, as its Pod would have one. Ports are those
 * of the manifests.
 */
import { join } from 'node:path';
import { Child } from '../system/child.ts';
import { type CommandResult, switchyard } from '../system/command-line.ts';
import { type Program, THIS_RELEASE } from '../system/controller.ts';
import type { TestNamespace } from './shared-cluster.ts';

/** Where every replica serves proxies. */
export const XDS_PORT = 18_000;

/** Addresses that are local to the network namespace, and nobody's. */
const addressOf = (number: number): string => `10.0.0.${100 + number}`;

export class ReplicaProcess {
  readonly name: string;
  readonly address: string;
  readonly #child: Child;

  private constructor(name: string, address: string, child: Child) {
    this.name = name;
    this.address = address;
    this.#child = child;
  }

  /** Starts it and waits until it serves proxies. Its log is kept in `folder`. */
  static async start(
    place: Pick<TestNamespace, 'namespace' | 'kubeconfig'>,
    options: { readonly number: number; readonly folder: string; readonly program?: Program },
  ): Promise<ReplicaProcess> {
    const { number, folder, program = THIS_RELEASE } = options;
    const name = `switchyard-${number}`;
    const address = addressOf(number);
    const child = await Child.start({
      name,
      command: program.command,
      arguments: [
        ...program.arguments,
        'controller',
        '--kubernetes',
        `--namespace=${place.namespace}`,
        `--xds-address=${address}:${XDS_PORT}`,
        `--admin-address=${address}:18001`,
        `--http-address=${address}:18002`,
        `--watcher-address=${address}:18003`,
        `--replica-address=${address}:18004`,
        `--refusal-address=${address}:18005`,
      ],
      logFile: join(folder, `${name}.log`),
      environment: { KUBECONFIG: place.kubeconfig, POD_NAME: name, POD_IP: address },
    });
    const isReady = async () => (await fetch(`http://${address}:18002/readyz`)).ok;
    try {
      await child.until('its readiness', isReady);
    } catch (error) {
      await child.stop();
      throw error;
    }
    return new ReplicaProcess(name, address, child);
  }

  /** Where proxies connect. */
  get xds(): string {
    return `${this.address}:${XDS_PORT}`;
  }

  /** Where its admin API is, which is the leader's whoever that is. */
  get server(): string {
    return `${this.address}:18001`;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** False when it has ended. */
  get isRunning(): boolean {
    return this.#child.running;
  }

  /** kill -9; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.signal('SIGKILL');
    await this.#child.ended;
  }

  /** Runs a command against its admin API. */
  run(...args: readonly string[]): Promise<CommandResult> {
    return switchyard(this.server, args);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.signal(signal);
  }

  async stop(): Promise<void> {
    await this.#child.stop(20_000);
  }

  /** The end of its log. */
  log(): string {
    return this.#child.lastLines();
  }
}
