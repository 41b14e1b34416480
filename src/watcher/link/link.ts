/**
 * The link to the controller: goal states come in, reports go out, for as long as the watcher runs. Nothing here stops or
 * starts anything; while nobody answers, the box goes on with what it has.
 */
import type { WatcherReport } from '../../model/goal-state.ts';
import type { Instant, Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CallEnd, Channel } from './channel.ts';
import { type Ending, FIRST_PACE, nextAttempt, type Pace } from './pace.ts';
import type { Answer } from './wire.ts';

export interface LinkOptions {
  readonly channel: Channel;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly report: () => WatcherReport;
  readonly onAnswer: (answer: Answer) => void;
  readonly onState: (state: LinkState) => void;
}

export type LinkState =
  | { readonly kind: 'Connecting'; readonly since: Instant; readonly reason: string }
  | { readonly kind: 'Connected'; readonly since: Instant; readonly way: Pace['way'] };

/** Without an answer for so long a stream does not live. */
const FIRST_ANSWER: Milliseconds = 20_000;
/** The least time between two reports: the controller reads those that send more often more slowly. */
const SPACING: Milliseconds = 250;

export class Link {
  readonly #options: LinkOptions;
  #state: LinkState;
  #wake: () => void = () => undefined;
  #isReportDue = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#state = { kind: 'Connecting', since: options.clock.now(), reason: 'it has just begun' };
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The report has changed: it is sent soon. */
  changed(): void {
    this.#isReportDue = true;
    this.#wake();
  }

  /** Until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    let pace = FIRST_PACE;
    while (!signal.aborted) {
      const ending = pace.way === 'Stream' ? await this.#followOnce(signal) : await this.#pollOnce(signal);
      if (signal.aborted) return;
      const next = nextAttempt({ pace, ending, now: clock.now(), random: random() });
      pace = next.pace;
      await this.#pause({ length: next.delay, isEndedByChange: ending.kind === 'Polled', signal });
    }
  }

  async #followOnce(signal: AbortSignal): Promise<Ending> {
    const { channel, clock, report, onAnswer } = this.#options;
    const silence = new AbortController();
    const over = new AbortController();
    let answeredAt: Instant | undefined;
    let interval: Milliseconds = FIRST_ANSWER;
    this.#isReportDue = false;
    const stream = channel.follow({
      report: report(),
      signal: AbortSignal.any([signal, silence.signal]),
      onAnswer: (answer) => {
        answeredAt ??= clock.now();
        interval = answer.interval;
        this.#connected('Stream');
        onAnswer(answer);
        this.#wake();
      },
    });
    const ended = stream.ended.then((end) => {
      over.abort();
      return end;
    });
    void clock
      .sleep(FIRST_ANSWER, AbortSignal.any([signal, over.signal]))
      .then(() => answeredAt === undefined && silence.abort())
      .catch(() => undefined);
    while (!over.signal.aborted && !signal.aborted) {
      await this.#pause({
        length: interval,
        isEndedByChange: true,
        signal: AbortSignal.any([signal, over.signal]),
      });
      if (over.signal.aborted || signal.aborted) break;
      if (answeredAt === undefined) continue;
      this.#isReportDue = false;
      stream.report(report());
      await this.#pause({
        length: SPACING,
        isEndedByChange: false,
        signal: AbortSignal.any([signal, over.signal]),
      });
    }
    const end = await ended;
    this.#away(
      silence.signal.aborted ? { reason: `the stream brought no answer in ${FIRST_ANSWER / 1000} s` } : end,
    );
    if (end.comeBackAfter !== undefined) return { kind: 'ComeBack', after: end.comeBackAfter };
    return answeredAt === undefined
      ? { kind: 'Failed' }
      : { kind: 'StreamEnded', lived: clock.now() - answeredAt };
  }

  async #pollOnce(signal: AbortSignal): Promise<Ending> {
    const { channel, report, onAnswer } = this.#options;
    this.#isReportDue = false;
    const answer = await channel.poll(report(), signal);
    if ('interval' in answer) {
      this.#connected('Poll');
      onAnswer(answer);
      return { kind: 'Polled', interval: answer.interval };
    }
    if (!signal.aborted) this.#away(answer);
    return answer.comeBackAfter === undefined
      ? { kind: 'Failed' }
      : { kind: 'ComeBack', after: answer.comeBackAfter };
  }

  /** Resolves after `length`, when the report changes where that counts, or when the signal is aborted. */
  async #pause(wait: { length: Milliseconds; isEndedByChange: boolean; signal: AbortSignal }): Promise<void> {
    const { clock } = this.#options;
    const { length, isEndedByChange, signal } = wait;
    if (isEndedByChange && this.#isReportDue) {
      await clock.sleep(SPACING, signal).catch(() => undefined);
      return;
    }
    const woken = new AbortController();
    if (isEndedByChange) this.#wake = () => woken.abort();
    await clock.sleep(length, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    this.#wake = () => undefined;
  }

  #connected(way: Pace['way']): void {
    if (this.#state.kind === 'Connected' && this.#state.way === way) return;
    this.#become({ kind: 'Connected', since: this.#options.clock.now(), way });
  }

  #away({ reason }: CallEnd): void {
    const { since } = this.#state.kind === 'Connecting' ? this.#state : { since: this.#options.clock.now() };
    this.#become({ kind: 'Connecting', since, reason });
  }

  #become(state: LinkState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
