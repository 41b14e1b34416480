/**
 * Moves the Service of each primary after its routes: when every connected proxy has acknowledged that a version is primary,
 * clients without a proxy are led to it too. Back it goes right after the routes, without waiting for anybody.
 */
import type { Backoff } from '../model/backoff.ts';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Operations } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import type { PrimaryServices } from '../ports/primary-service.ts';
import { Queue } from './queue.ts';

export interface PrimaryFollowerOptions {
  readonly operations: Operations;
  readonly primaryServices: PrimaryServices;
  /** Whether every connected proxy has acknowledged the routes of the service as they are. */
  readonly isFollowed: (service: ServiceName) => boolean;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onProblem: (problem: { readonly service: string; readonly error: unknown }) => void;
}

const RETRY: Backoff = { initial: 1_000, max: 60_000 };
const GATHER: Milliseconds = 0;

export class PrimaryFollower {
  readonly #options: PrimaryFollowerOptions;
  readonly #queue: Queue;
  #unsubscribe = (): void => undefined;

  constructor(options: PrimaryFollowerOptions) {
    const { clock, random, onProblem } = options;
    this.#options = options;
    this.#queue = new Queue({
      work: (name) => this.#follow(serviceName(name)),
      onFailed: (service, error) => onProblem({ service, error }),
      clock,
      random,
      backoff: RETRY,
      gather: GATHER,
    });
  }

  start(): void {
    const { operations } = this.#options;
    const all = (): void => {
      for (const { record } of operations.services())
        if (this.#isBehind(record)) this.#queue.add(record.name);
    };
    this.#unsubscribe = operations.subscribe(all);
    all();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#queue.stop();
  }

  async #follow(service: ServiceName): Promise<void> {
    const { operations, primaryServices } = this.#options;
    const record = operations.services().find((view) => view.record.name === service)?.record;
    if (record === undefined || !this.#isBehind(record)) return;
    const { runtime } = record.spec;
    if (runtime.kind !== 'kubernetes' || record.traffic.kind !== 'steady') return;
    await primaryServices.movePrimary({ service, spec: runtime, version: record.traffic.primary });
  }

  /** Whether the Service leads elsewhere, and may be moved. */
  #isBehind({ name, spec, traffic, rollout }: ServiceRecord): boolean {
    const { primaryServices, isFollowed } = this.#options;
    if (spec.runtime.kind !== 'kubernetes' || traffic.kind !== 'steady') return false;
    if (primaryServices.primaryOf(name) === traffic.primary) return false;
    return rollout?.movedBackAt !== undefined || isFollowed(name);
  }
}
