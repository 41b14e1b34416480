/**
 * The Runtime port over processes of this machine: wishes enter, running instances leave. Each wanted version has as
 * many instances as its spec says; each instance looks after itself. Instances outlive the controller, and the next
 * one takes them up. Linux only: whose process is whose is read from /proc.
 */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Instance } from '../../model/instance.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';
import type { ProcessesRuntimeSpec } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Runtime, RuntimeWish } from '../../ports/runtime.ts';
import { ChangeFeed } from '../change-feed.ts';
import { Turns } from '../turns.ts';
import type { CrashBudget } from './budget.ts';
import type { DrainSpec } from './drain.ts';
import { lockFolder } from './folder-lock.ts';
import { SupervisedInstance } from './instance.ts';
import { Journal } from './journal.ts';
import { type LogLimits, Logs } from './logs.ts';
import { PortAllocator } from './ports.ts';
import type { InstanceRecord } from './record.ts';
import type { InstanceTools } from './start.ts';
import { changedLaunches, planWish, type Slot } from './wish.ts';

export interface ProcessesRuntimeOptions {
  readonly clock: Clock;
  /** A folder of its own: `instances/` holds the records, `logs/` the output. One controller uses it at a time. */
  readonly stateFolder: string;
  /** Default: a log is trimmed above 10 MiB, and 20 logs of instances that are gone are kept. */
  readonly logLimits?: LogLimits;
  /** How instances are emptied before they are stopped. Default: SIGTERM, and SIGKILL after the grace time. */
  readonly drain?: DrainSpec;
  /** How often an instance may end before it is given up, until its version is wished for anew. Default: for ever. */
  readonly budget?: CrashBudget;
  /** True: each version has a launch of its own, so that a wish with another one is nothing to report. */
  readonly launchesDiffer?: boolean;
  /** From 0 to below 1; default Math.random. */
  readonly random?: () => number;
  /** Default: that of this machine. */
  readonly platform?: string;
}

/** This machine cannot run the adapter. */
export class UnsupportedPlatformError extends Error {
  override readonly name = 'UnsupportedPlatformError';
}

const DEFAULT_LOG_LIMITS: LogLimits = { size: 10 * 1024 * 1024, ofGoneInstances: 20 };

/** The last wish for a service; `spec` is undefined for one that only a controller before wished. */
interface LastWish {
  readonly spec: ProcessesRuntimeSpec | undefined;
  readonly versions: readonly VersionName[];
}

export class ProcessesRuntime implements Runtime {
  readonly #tools: InstanceTools;
  readonly #unlock: () => Promise<void>;
  readonly #instances = new Map<string, SupervisedInstance>();
  /** Services that are wished for, and those whose instances a controller before left. */
  readonly #wishes = new Map<ServiceName, LastWish>();
  readonly #feed = new ChangeFeed();
  readonly #turns = new Turns<ServiceName>();
  readonly #launchesDiffer: boolean;
  #closed = false;

  private constructor(made: { tools: InstanceTools; unlock: () => Promise<void>; launchesDiffer: boolean }) {
    this.#tools = made.tools;
    this.#unlock = made.unlock;
    this.#launchesDiffer = made.launchesDiffer;
  }

  /**
   * Takes up what a controller before left running. Throws UnsupportedPlatformError, FolderInUseError where another
   * controller has the folder, and Error where a record cannot be understood.
   */
  static async open(options: ProcessesRuntimeOptions): Promise<ProcessesRuntime> {
    const { platform = process.platform, stateFolder, clock } = options;
    if (platform !== 'linux') {
      throw new UnsupportedPlatformError(
        `the processes runtime needs Linux, and this is ${platform}; list the addresses of instances with the endpoints runtime instead`,
      );
    }
    await mkdir(join(stateFolder, 'logs'), { recursive: true, mode: 0o700 });
    const unlock = await lockFolder(stateFolder, clock);
    try {
      const journal = await Journal.open(join(stateFolder, 'instances'));
      const logs = new Logs(join(stateFolder, 'logs'), options.logLimits ?? DEFAULT_LOG_LIMITS);
      const tools = {
        journal,
        logs,
        clock,
        ports: new PortAllocator(),
        random: options.random ?? Math.random,
        drain: options.drain,
        budget: options.budget,
      };
      const runtime = new ProcessesRuntime({
        tools,
        unlock,
        launchesDiffer: options.launchesDiffer ?? false,
      });
      await runtime.#takeUp(await journal.load());
      return runtime;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  async want(wish: RuntimeWish): Promise<void> {
    const { service, spec, versions } = wish;
    if (spec.kind !== 'processes')
      throw new TypeError(`runtime of ${service} must be "processes", not "${spec.kind}"`);
    await this.#inTurn(service, () => this.#fulfil(service, { spec, versions }));
  }

  async settled(service: ServiceName): Promise<void> {
    await this.#turns.ended(service);
    await Promise.all(this.#of(service).map((instance) => instance.settled));
  }

  instances(service: ServiceName): readonly Instance[] {
    return this.#of(service)
      .map((instance) => instance.view())
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  offered(): readonly VersionName[] {
    return [];
  }

  problems(service: ServiceName): readonly string[] {
    const instances = this.#of(service);
    const troubles = instances.flatMap((instance) => instance.problems);
    const spec = this.#wishes.get(service)?.spec;
    return spec === undefined || this.#launchesDiffer
      ? troubles
      : [...changedLaunches(spec, instances.map(toSlot)), ...troubles];
  }

  services(): readonly ServiceName[] {
    return [...this.#wishes.keys()].toSorted();
  }

  async forget(service: ServiceName): Promise<void> {
    await this.#inTurn(service, async () => {
      await Promise.all(this.#of(service).map((instance) => instance.stop()));
      this.#wishes.set(service, { spec: undefined, versions: [] });
      this.#dropIfForgotten(service);
    });
  }

  subscribe(listener: (service: ServiceName) => void): () => void {
    return this.#feed.subscribe(listener);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#turns.allEnded();
    await Promise.all([...this.#instances.values()].map((instance) => instance.leave()));
    await this.#unlock();
  }

  async #takeUp(records: readonly InstanceRecord[]): Promise<void> {
    const left = records.map((record) => this.#add(record, { isNew: false }));
    for (const { service } of records) this.#wishes.set(service, { spec: undefined, versions: [] });
    await Promise.all(left.map((instance) => instance.takeUp()));
    for (const instance of left) this.#run(instance);
  }

  async #fulfil(
    service: ServiceName,
    wish: { spec: ProcessesRuntimeSpec; versions: readonly VersionName[] },
  ): Promise<void> {
    const instances = this.#of(service);
    const plan = planWish(wish, instances.map(toSlot));
    const before = this.#wishes.get(service);
    this.#wishes.set(service, wish);
    for (const instance of instances) instance.adjust(wish.spec);
    const records = plan.start.map(({ version, slot, spec }) => newRecord({ service, version, slot, spec }));
    await Promise.all([
      ...instances.filter(({ record }) => plan.stop.includes(record.id)).map((instance) => instance.stop()),
      ...records.map((record) => this.#begin(record)),
    ]);
    if (records.length > 0 || JSON.stringify(before?.spec) !== JSON.stringify(wish.spec))
      this.#feed.changed(service);
  }

  /** Each instance runs as soon as it is recorded: should another one fail to be, nothing on disk is without its keeper. */
  async #begin(record: InstanceRecord): Promise<void> {
    await this.#tools.journal.write(record);
    this.#run(this.#add(record, { isNew: true }));
  }

  #add(record: InstanceRecord, { isNew }: { isNew: boolean }): SupervisedInstance {
    const onChange = (): void => this.#feed.changed(record.service);
    const instance = new SupervisedInstance({ record, isNew, tools: this.#tools, onChange });
    this.#instances.set(record.id, instance);
    return instance;
  }

  #run(instance: SupervisedInstance): void {
    const { id, service } = instance.record;
    instance.run(() => {
      this.#instances.delete(id);
      this.#dropIfForgotten(service);
      this.#feed.changed(service);
      // A log that stays hurts nobody; the next instance that goes tries again.
      void this.#tools.logs.prune(new Set(this.#instances.keys())).catch(() => undefined);
    });
  }

  /** Nothing is kept of a service that nobody wishes for and that has no instance left. */
  #dropIfForgotten(service: ServiceName): void {
    const forgotten = this.#wishes.has(service) && this.#wishes.get(service)?.spec === undefined;
    if (!forgotten || this.#of(service).length > 0) return;
    this.#wishes.delete(service);
    this.#feed.changed(service);
  }

  #of(service: ServiceName): SupervisedInstance[] {
    return [...this.#instances.values()].filter(({ record }) => record.service === service);
  }

  async #inTurn(service: ServiceName, change: () => Promise<void>): Promise<void> {
    if (this.#closed) throw new Error('the processes runtime is closed');
    await this.#turns.take(service, change);
  }
}

function toSlot(instance: SupervisedInstance): Slot {
  const { id, version, slot, spec } = instance.record;
  return { id, version, slot, spec, isStopping: instance.isStopping };
}

function newRecord(made: Pick<InstanceRecord, 'service' | 'version' | 'slot' | 'spec'>): InstanceRecord {
  const id = `${made.service}-${made.version}-${made.slot}-${randomBytes(4).toString('hex')}`;
  return { id, ...made, port: 0, restarts: 0, failures: 0, process: { kind: 'None' }, wasReady: false };
}
