/**
 * Holds one stream open and writes down what became of it. The client ends the stream itself when it is told to, or
 * some time after the version said that it drains; every other end is a cut, and so is a silence that is too long.
 */
import { failed } from './clients/answer.ts';
import type { OpenStream, StreamClient, StreamMessage } from './clients/client.ts';
import type { Asked, Exchange, Outcome, StreamRecord } from './samples.ts';

/** How streams behave. Milliseconds. */
export interface StreamHabits {
  /** Time between messages. */
  readonly tickMs: number;
  /** A stream without a message for so long counts as cut. */
  readonly silenceMs: number;
  /** How long a client goes on with its work after it heard that the version drains. */
  readonly finishMs: number;
}

interface Notes {
  readonly asked: Asked;
  readonly client: StreamClient;
  readonly habits: StreamHabits;
  readonly now: () => number;
  /** Receives the opening, once. */
  readonly opened: (opening: Exchange) => void;
  /** Receives the whole stream, once, if it was opened. */
  readonly ended: (record: StreamRecord) => void;
}

/** One stream from its request to its end. */
export class StreamWatch {
  readonly asked: Asked;
  readonly #notes: Notes;
  readonly #startedAt: number;
  readonly #stream: OpenStream;
  readonly #strangers = new Set<string>();
  readonly #finished = Promise.withResolvers<void>();
  #version: string | undefined;
  #openedAt = 0;
  #heardAt: number;
  #finishing: NodeJS.Timeout | undefined;
  #over = false;

  constructor(notes: Notes) {
    this.#notes = notes;
    this.asked = notes.asked;
    this.#startedAt = notes.now();
    this.#heardAt = this.#startedAt;
    const { pin, tenant } = notes.asked;
    const wish = { ...(pin === undefined ? {} : { pin }), ...(tenant === undefined ? {} : { tenant }) };
    this.#stream = notes.client.open(
      { ...wish, tickMs: notes.habits.tickMs },
      {
        onMessage: (message, routedVersion) => this.#hear(message, routedVersion),
        onEnd: (outcome) => this.#cut(outcome),
      },
    );
  }

  /** Who serves it; absent until the first message, and when it is over. */
  get version(): string | undefined {
    return this.#over ? undefined : this.#version;
  }

  /** Whether it was told that its version drains. */
  get draining(): boolean {
    return this.#finishing !== undefined;
  }

  /** Resolves when the stream is over. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Looks whether the stream has been silent for too long. */
  check(): void {
    const silence = this.#notes.now() - this.#heardAt;
    if (silence > this.#notes.habits.silenceMs) this.#cut(failed(`silent for ${Math.round(silence)} ms`));
  }

  /** Ends the stream from the client's side. One that was silent for too long is a cut even now. */
  close(): void {
    this.check();
    if (this.#version === undefined) this.#cut(failed('no first message before the client gave up'));
    else this.#end({ kind: 'byClient' });
  }

  #hear({ version, draining }: StreamMessage, routedVersion: string | undefined): void {
    if (this.#over) return;
    this.#heardAt = this.#notes.now();
    if (this.#version === undefined) {
      this.#version = version;
      this.#openedAt = this.#heardAt;
      this.#opening({ kind: 'answered', version, ...(routedVersion === undefined ? {} : { routedVersion }) });
    } else if (version !== this.#version) {
      this.#strangers.add(version);
    }
    if (draining) this.#finishing ??= setTimeout(() => this.close(), this.#notes.habits.finishMs);
  }

  #cut(outcome: Outcome): void {
    if (this.#over) return;
    if (this.#version !== undefined) {
      this.#end({ kind: 'cut', reason: outcome.kind === 'failed' ? outcome.reason : outcome.kind });
      return;
    }
    this.#opening(outcome);
    this.#finish();
  }

  #opening(outcome: Outcome): void {
    this.#notes.opened({
      asked: this.asked,
      startedAt: this.#startedAt,
      endedAt: this.#notes.now(),
      outcome,
    });
  }

  #end(end: StreamRecord['end']): void {
    if (this.#over) return;
    const version = this.#version ?? '';
    this.#notes.ended({
      asked: this.asked,
      openedAt: this.#openedAt,
      endedAt: this.#notes.now(),
      version,
      strangers: [...this.#strangers],
      end,
    });
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#finishing);
    this.#stream.close();
    this.#finished.resolve();
  }
}
