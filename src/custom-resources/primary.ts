/**
 * Moves the Service of each primary after its routes: when every connected proxy has acknowledged that a version is primary,
 * clients without a proxy are led to it too. Back it goes right after the routes, without waiting for anybody.
 */
import type { Rounds } from '../adapters/rounds.ts';
import type { Backoff } from '../model/backoff.ts';
import type { ServiceName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Operations } from '../operations/types.ts';
import type { Clock } from '../ports/clock.ts';
import { PrimaryServiceError, type PrimaryServices } from '../ports/primary-service.ts';
import { objectRounds } from './object-rounds.ts';
import type { Records } from './records.ts';

export interface PrimaryFollowerOptions {
  readonly operations: Pick<Operations, 'subscribe'>;
  readonly records: Records;
  readonly primaryServices: PrimaryServices;
  /** Whether every connected proxy has acknowledged the routes of the service as they are. */
  readonly isFollowed: (service: ServiceName) => boolean;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly onProblem: (problem: { readonly service: string; readonly error: unknown }) => void;
}

const BACKOFF: Backoff = { initial: 1_000, max: 60_000 };

export class PrimaryFollower {
  readonly #options: PrimaryFollowerOptions;
  readonly #rounds: Rounds<ServiceName>;
  #unsubscribe = (): void => undefined;

  constructor(options: PrimaryFollowerOptions) {
    this.#options = options;
    const look = (service: ServiceName): Promise<void> => this.#follow(service);
    // Clients are led to it as soon as they may be.
    this.#rounds = objectRounds({ ...options, look, backoff: BACKOFF, gather: 0 });
  }

  start(): void {
    const { operations, records } = this.#options;
    const all = (): void => {
      for (const record of records().values()) if (this.#isBehind(record)) this.#rounds.wake(record.name);
    };
    const unsubscribe = [
      operations.subscribe(all),
      this.#options.primaryServices.subscribe((service) => this.#rounds.hurry(service)),
    ];
    this.#unsubscribe = () => {
      for (const each of unsubscribe) each();
    };
    all();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#rounds.close();
  }

  async #follow(service: ServiceName): Promise<void> {
    const { records, primaryServices } = this.#options;
    const record = records().get(service);
    if (record === undefined || !this.#isBehind(record)) return;
    const { runtime } = record.spec;
    if (runtime.kind !== 'kubernetes' || record.traffic.kind !== 'steady') return;
    const standing = primaryServices.standing(service, runtime);
    // Nobody is asked about it again until it is heard that it was given, or has gone.
    if (standing.kind === 'NotOurs') throw new PrimaryServiceError(standing.problem);
    await primaryServices.movePrimary({ service, spec: runtime, version: record.traffic.primary });
  }

  /** Whether the Service leads elsewhere, and may be moved. */
  #isBehind({ name, spec, traffic, rollout }: ServiceRecord): boolean {
    const { primaryServices, isFollowed } = this.#options;
    if (spec.runtime.kind !== 'kubernetes' || traffic.kind !== 'steady') return false;
    const standing = primaryServices.standing(name, spec.runtime);
    if (standing.kind === 'Leads' && standing.version === traffic.primary) return false;
    return rollout?.movedBackAt !== undefined || isFollowed(name);
  }
}
