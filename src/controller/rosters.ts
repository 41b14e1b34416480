/**
 * Who is connected to which version, as the delegate source of each service said last. It is asked often while something
 * waits for delegates, and now and then otherwise; nobody waits for the answer. Unknown is not none.
 */
import type { DelegateAnswer } from '../model/delegates.ts';
import type { Instance } from '../model/instance.ts';
import { after, type Instant, instant, type Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { DelegateSource } from '../ports/delegate-source.ts';
import { hasDelegates } from '../rollout/steps.ts';

/** The least time between two questions, while something waits for delegates and while nothing does. */
const WAITED_FOR: Milliseconds = 1_000;
const AT_REST: Milliseconds = 30_000;
/** The longest that one question may take. */
const TIMEOUT: Milliseconds = 10_000;

export interface RosterOptions {
  readonly delegateSource: DelegateSource;
  readonly clock: Clock;
  readonly wake: (service: ServiceName) => void;
}

interface Asked {
  readonly askedAt: Instant;
  readonly answer: DelegateAnswer;
  readonly running?: AbortController;
}

const NOT_ASKED: DelegateAnswer = { kind: 'unknown', reason: 'nobody was asked yet' };

export class Rosters {
  readonly #options: RosterOptions;
  readonly #asked = new Map<ServiceName, Asked>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** What the source of a service said last. */
  answer({ name, spec }: ServiceRecord): DelegateAnswer {
    if (spec.delegates.source.kind === 'none') return { kind: 'unknown', reason: `${name} has no delegates` };
    return this.#asked.get(name)?.answer ?? NOT_ASKED;
  }

  /** Asks the source of a service where it is time to. Returns at once. */
  look(record: ServiceRecord, instances: readonly Instance[]): void {
    const { source, activeWithin } = record.spec.delegates;
    if (source.kind === 'none') {
      this.forget(record.name);
      return;
    }
    const now = this.#options.clock.now();
    const known = this.#asked.get(record.name);
    const pace = isWaitedFor(record) ? WAITED_FOR : AT_REST;
    if (known?.running !== undefined || (known !== undefined && after(known.askedAt, pace) > now)) return;
    const cancel = new AbortController();
    const request = {
      source,
      service: record.name,
      versions: record.versions.filter(({ state }) => state !== 'Retired').map(({ name }) => name),
      since: instant(Math.max(0, now - activeWithin)),
      instances: instances.filter(({ state }) => state === 'Ready'),
      signal: AbortSignal.any([cancel.signal, AbortSignal.timeout(TIMEOUT)]),
    };
    this.#asked.set(record.name, { askedAt: now, answer: known?.answer ?? NOT_ASKED, running: cancel });
    void this.#ask(record.name, cancel, request);
  }

  forget(service: ServiceName): void {
    this.#asked.get(service)?.running?.abort(new Error('the service asks nobody any more'));
    this.#asked.delete(service);
  }

  /** Cancels what runs. */
  stop(): void {
    for (const { running } of this.#asked.values()) running?.abort(new Error('the controller stops'));
  }

  async #ask(
    service: ServiceName,
    cancel: AbortController,
    request: Parameters<DelegateSource['delegates']>[0],
  ): Promise<void> {
    const { delegateSource, clock, wake } = this.#options;
    const answer = await delegateSource
      .delegates(request)
      .catch((error: unknown): DelegateAnswer => ({ kind: 'unknown', reason: String(error) }));
    if (this.#asked.get(service)?.running !== cancel) return;
    this.#asked.set(service, { askedAt: clock.now(), answer });
    if (!cancel.signal.aborted) wake(service);
  }
}

/** Whether a rollout or a retirement waits for what the source says. */
function isWaitedFor({ rollout, versions }: ServiceRecord): boolean {
  const isGated = rollout !== undefined && isOpen(rollout.state) && hasDelegates(rollout.policy);
  return isGated || versions.some(({ retirement }) => retirement?.step === 'LeavingGoalStates');
}
