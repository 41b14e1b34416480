/**
 * Example managers and delegates over one store, in this process or as processes of their own. Whatever was added
 * is undone in the reverse order when the site closes.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Delegate, startDelegate } from '../../../examples/delegate/delegate.ts';
import type { DelegateOptions } from '../../../examples/delegate/options.ts';
import { Instance } from '../../../examples/manager/instance.ts';
import { serve } from '../../../examples/manager/server.ts';
import { Engine } from '../../../examples/manager/workflow/engine.ts';
import { openStore } from '../../../examples/manager/workflow/store.ts';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { Child } from '../system/child.ts';

/** A manager of this process, or one of its own. */
export interface RunningManager {
  readonly port: number;
  /** Sends its delegates away, finishes its events, and stops. */
  stop(): Promise<void>;
}

export interface ManagerHere extends RunningManager {
  readonly engine: Engine;
}

export interface ManagerWish {
  readonly version?: string;
  readonly instance?: string;
  readonly continues?: readonly string[];
  /** Milliseconds; default 3000. */
  readonly lease?: number;
}

export interface DelegateWish {
  /** Where it finds its manager: a port of the loopback address. */
  readonly port: number;
  readonly box: string;
  readonly tenant?: string;
  readonly version?: string;
  readonly tags?: readonly string[];
  readonly capacity?: number;
  readonly askAgainAfter?: number;
}

export interface ProcessHere {
  readonly child: Child;
  readonly port: number;
}

const silent = pino({ level: process.env['SWITCHYARD_TEST_LOG'] ?? 'silent' });
const REPOSITORY = join(import.meta.dirname, '..', '..', '..');

export class ExampleSite {
  readonly folder: string;
  readonly #store: string;
  readonly #undo = new AsyncDisposableStack();
  #count = 0;

  private constructor(folder: string, store = `sqlite:${join(folder, 'workflow.db')}`) {
    this.folder = folder;
    this.#store = store;
    this.#undo.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  }

  /** `store` as the manager's command line names it; default: a SQLite file of the site. */
  static async open(store?: string): Promise<ExampleSite> {
    return new ExampleSite(await mkdtemp(join(tmpdir(), 'switchyard-examples-')), store);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  close(): Promise<void> {
    return this.#undo.disposeAsync();
  }

  defer(undo: () => void | Promise<void>): void {
    this.#undo.defer(undo);
  }

  /** Opens the store beside the managers, as an operator might. */
  async store() {
    const store = await openStore(this.#store);
    this.defer(() => store.close());
    return store;
  }

  async manager(wish: ManagerWish = {}): Promise<ManagerHere> {
    const { version = 'v1', continues = [], lease = 3_000, instance = this.#name(version) } = wish;
    const identity = { version, instance };
    const store = await openStore(this.#store);
    const engine = await Engine.start({ identity, store, library: new Map(), continues, lease, log: silent });
    const server = await serve(new Instance(identity), { host: '127.0.0.1', port: 0 }, engine);
    let stopped: Promise<void> | undefined;
    const stop = () => {
      stopped ??= (async () => {
        await engine.handOver();
        await server.stop(0);
        await engine.stop();
      })();
      return stopped;
    };
    this.defer(stop);
    return { port: server.port, engine, stop };
  }

  async managerProcess(wish: ManagerWish = {}): Promise<ProcessHere> {
    const { version = 'v1', continues = [], lease = 3_000, instance = this.#name(version) } = wish;
    const port = await freePort();
    const child = await this.#process(instance, 'manager', [
      ...flags({ version, instance, port, store: this.#store, 'lease-ms': lease }),
      ...continues.map((each) => `--continues=${each}`),
    ]);
    await child.until('an answer', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
    return { child, port };
  }

  async delegate(wish: DelegateWish): Promise<Delegate> {
    const delegate = await startDelegate(this.#options(wish), silent);
    this.defer(() => delegate.abandon());
    return delegate;
  }

  /** In this process, and welcomed by its manager. */
  async connected(wish: DelegateWish): Promise<Delegate> {
    const delegate = await this.delegate(wish);
    await eventually(() => delegate.health().ready, { what: `${wish.box} to be welcomed` });
    return delegate;
  }

  /** A process of its own; again with the same box: on the same data. */
  async delegateProcess(wish: DelegateWish): Promise<ProcessHere> {
    const { box, tenant, version, gateway, data, capacity, tags } = this.#options(wish);
    const port = await freePort();
    const child = await this.#process(box, 'delegate', [
      ...flags({ box, tenant, version, gateway, data, port, capacity }),
      ...tags.map((tag) => `--tag=${tag}`),
    ]);
    await child.until('an answer', async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).ok);
    return { child, port };
  }

  async #process(name: string, example: 'manager' | 'delegate', args: readonly string[]): Promise<Child> {
    this.#count += 1;
    const child = await Child.start({
      name,
      command: process.execPath,
      arguments: [join(REPOSITORY, 'examples', example, 'main.ts'), ...args],
      logFile: join(this.folder, `${name}-${this.#count}.log`),
    });
    this.defer(() => child.stop());
    return child;
  }

  #options(wish: DelegateWish): DelegateOptions {
    const { port, box, tenant = 'acme', version = 'v1', tags = [], capacity = 4 } = wish;
    return {
      box,
      tenant,
      version,
      gateway: `127.0.0.1:${port}`,
      data: join(this.folder, `delegate-${version}-${box}`),
      port: 0,
      tags,
      capacity,
      stableAfter: 60_000,
      askAgainAfter: wish.askAgainAfter ?? 600_000,
    };
  }

  #name(version: string): string {
    this.#count += 1;
    return `${version}-${this.#count}`;
  }
}

/** Options of a command line. */
function flags(values: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
