/**
 * Who of several replicas is the leader, by a Lease: the one that holds it and renews it. Time is measured on this process's
 * monotonic clock only, as client-go does: clocks of machines differ, and a process that was paused finds on waking that its
 * time is over. A term is the number of times that the Lease has changed hands; what a leader writes carries it.
 */
import type { Milliseconds } from '../../../model/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KubernetesApi } from './api.ts';
import { isConflict, unlessNotFound } from './api-error.ts';
import { LEASE } from './kinds.ts';
import { type KubernetesObject, pathOf } from './objects.ts';
import { microTime } from './times.ts';

interface Lease extends KubernetesObject {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface ElectionOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Of this replica; unique for each start of each process. */
  readonly identity: string;
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonic: () => Milliseconds;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Called when this replica has become the leader, has ceased to be it, or another one is it. */
  readonly onChange: (leadership: Leadership) => void;
  /** Told why the Lease could not be had or renewed. */
  readonly onTrouble?: (error: unknown) => void;
}

export type Leadership =
  | { readonly kind: 'Leading'; readonly term: number }
  /** `leader` is empty where nobody is known to lead. */
  | { readonly kind: 'Following'; readonly leader: string };

/** As client-go has them. Others wait so long before they take over. */
const LEASE_DURATION: Milliseconds = 15_000;
/** A leader that could not renew for so long leads no more; below the duration, so that two never lead at once. */
const RENEW_DEADLINE: Milliseconds = 10_000;
const RETRY_PERIOD: Milliseconds = 2_000;
const LONGEST_REQUEST: Milliseconds = 5_000;

export class LeaderElection {
  readonly #options: ElectionOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #leadership: Leadership = { kind: 'Following', leader: '' };
  /** When the Lease that we hold was asked for last; it was granted later. */
  #renewedAt = 0;
  /** It does not take the Lease before. */
  #asideUntil = 0;
  /** The Lease as it was seen last, and since when it has been so, on our clock. */
  #seen: { readonly text: string; readonly since: Milliseconds } | undefined;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Asked anew each time: a process that was paused is told on waking that it leads no more. */
  get leadership(): Leadership {
    const isOver = this.#options.monotonic() - this.#renewedAt >= RENEW_DEADLINE;
    if (this.#leadership.kind === 'Leading' && isOver) this.#become({ kind: 'Following', leader: '' });
    return this.#leadership;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Leads no more, and lets the Lease go, so that another one need not wait. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#letGo();
  }

  /** Lets the Lease go, and does not take it for so long: another one may be able to do what this one cannot. */
  async stepAside(length: Milliseconds): Promise<void> {
    this.#asideUntil = this.#options.monotonic() + length;
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    const wasLeading = this.leadership.kind === 'Leading';
    this.#become({ kind: 'Following', leader: '' });
    if (wasLeading) await this.#release().catch((error: unknown) => this.#options.onTrouble?.(error));
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#tryOnce();
      } catch (error) {
        if (!isConflict(error) && !signal.aborted) this.#options.onTrouble?.(error);
      }
      const isLeading = this.leadership.kind === 'Leading';
      const period = isLeading ? RETRY_PERIOD : RETRY_PERIOD * (1 + random() / 5);
      await clock.sleep(Math.min(period, this.#timeLeft()), signal).catch(() => undefined);
    }
  }

  get #isAside(): boolean {
    return this.#options.monotonic() < this.#asideUntil;
  }

  /** Until a leader leads no more: then it is to be told, whatever it waits for. */
  #timeLeft(): Milliseconds {
    if (this.#leadership.kind !== 'Leading') return Number.POSITIVE_INFINITY;
    return Math.max(this.#renewedAt + RENEW_DEADLINE - this.#options.monotonic(), 0);
  }

  #ask(method: 'GET' | 'POST' | 'PUT', lease?: Lease): Promise<Lease> {
    const { api, namespace, name } = this.#options;
    const timeout = Math.ceil(Math.min(LONGEST_REQUEST, this.#timeLeft() + 1));
    return api.json<Lease>({
      method,
      path: pathOf(LEASE, method === 'POST' ? { namespace } : { namespace, name }),
      ...(lease === undefined ? {} : { body: lease }),
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeout)]),
    });
  }

  async #tryOnce(): Promise<void> {
    const { identity, monotonic } = this.#options;
    const askedAt = monotonic();
    const found = await this.#ask('GET').catch(unlessNotFound);
    if (found === undefined) {
      if (this.#isAside) return;
      // Where another one was faster it is refused, and ours is the next look.
      await this.#ask('POST', this.#lease({ term: 0, isNew: true }));
      this.#lead(0, askedAt);
      return;
    }
    const { holderIdentity = '', leaseTransitions = 0 } = found.spec;
    const isOurs = holderIdentity === identity;
    if (!isOurs && !this.#hasExpired(found)) {
      this.#become({ kind: 'Following', leader: holderIdentity });
      return;
    }
    if (this.#isAside) {
      this.#become({ kind: 'Following', leader: '' });
      return;
    }
    // One that was let go has changed hands too, also where it comes back to us.
    const term = isOurs && this.#leadership.kind === 'Leading' ? leaseTransitions : leaseTransitions + 1;
    await this.#ask('PUT', this.#lease({ term, isNew: term !== leaseTransitions, before: found }));
    this.#lead(term, askedAt);
  }

  /** Whether nobody has renewed it for its whole duration, as we saw it. */
  #hasExpired({ spec }: Lease): boolean {
    const { monotonic } = this.#options;
    const { holderIdentity = '', renewTime = '', leaseDurationSeconds = LEASE_DURATION / 1_000 } = spec;
    if (holderIdentity === '') return true;
    const text = `${holderIdentity} ${renewTime}`;
    if (this.#seen?.text !== text) this.#seen = { text, since: monotonic() };
    return monotonic() - this.#seen.since >= leaseDurationSeconds * 1_000;
  }

  #lease(of: { readonly term: number; readonly isNew: boolean; readonly before?: Lease }): Lease {
    const { namespace, name, identity, clock } = this.#options;
    const { term, isNew, before } = of;
    const now = microTime(clock.now());
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: before?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: LEASE_DURATION / 1_000,
        acquireTime: isNew ? now : (before?.spec.acquireTime ?? now),
        renewTime: now,
        leaseTransitions: term,
      },
    };
  }

  async #release(): Promise<void> {
    const { api, namespace, name, identity, clock } = this.#options;
    const found = await api.get<Lease>(LEASE, { namespace, name });
    if (found.spec.holderIdentity !== identity) return;
    const { holderIdentity: _, ...rest } = found.spec;
    const spec = { ...rest, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
    await api.replace<Lease>(LEASE, { namespace, name }, { ...found, spec });
  }

  #lead(term: number, askedAt: Milliseconds): void {
    // A request that was under way when it stepped aside: what it got expires.
    if (this.#isAside) return;
    this.#renewedAt = askedAt;
    if (this.#leadership.kind !== 'Leading' || this.#leadership.term !== term) {
      this.#become({ kind: 'Leading', term });
    }
  }

  #become(leadership: Leadership): void {
    const before = JSON.stringify(this.#leadership);
    this.#leadership = leadership;
    if (JSON.stringify(leadership) !== before) this.#options.onChange(leadership);
  }
}
