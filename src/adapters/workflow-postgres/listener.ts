/**
 * Wake-up: whoever has made something due calls its own listeners when that is committed, and tells the channel of the
 * schema, on which every other client listens on a connection of its own. Telling costs a lock that all commits of the
 * database share, so it is done beside transactions and at most once in a few milliseconds. Nothing depends on it: who
 * hears nothing for a while is called anyway.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions, identifier, type Statement } from './connection.ts';

/** A client that was told nothing looks all the same: the word of one that was killed before it spoke is lost. */
const CALL_AT_LEAST_EVERY_MS = 1_000;
const LONGEST_PAUSE_MS = 1_000;
const QUIET_MS = 3;

function channelOf(schema: string): string {
  return `switchyard_${schema}`.slice(0, 63);
}

export class Listener {
  /** What this client's own words say: it has called its listeners already. */
  readonly self: string = randomUUID();
  readonly #options: ConnectionOptions;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #connection: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#running ??= this.#run();
    this.#timer ??= setInterval(() => this.call(), CALL_AT_LEAST_EVERY_MS).unref();
    return () => {
      this.#listeners.delete(own);
    };
  }

  call(): void {
    for (const listener of this.#listeners) listener();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let pause = 20; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const connection = await Connection.open(this.#options);
        this.#connection = connection;
        const ended = new Promise<void>((resolve) => connection.onEnd(resolve));
        connection.onNotification((word) => {
          if (word !== this.self) this.call();
        });
        await connection.send([{ text: `LISTEN ${identifier(channelOf(this.#options.schema))}` }]);
        // What was said meanwhile was not heard.
        this.call();
        pause = 20;
        if (signal.aborted) connection.destroy();
        await ended;
      } catch {
        // It is tried again below; until then the timer calls.
      }
      await sleep(pause * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearInterval(this.#timer);
    this.#listeners.clear();
    this.#connection?.destroy();
    await this.#running;
  }
}

/** Decides when the channel is told: at once, and then not more often than once in a few milliseconds. */
export class Announcer {
  readonly #word: Statement;
  readonly #tell: (word: Statement) => Promise<unknown>;
  #isQuiet = false;
  #isWanted = false;

  /** `self`: what the word says, so that whoever spoke knows it for its own. */
  constructor(schema: string, self: string, tell: (word: Statement) => Promise<unknown>) {
    this.#word = { text: 'SELECT pg_notify($1, $2)', values: [channelOf(schema), self] };
    this.#tell = tell;
  }

  /** What to send behind a commit that makes something due; nothing where it is told soon anyway. */
  word(): readonly Statement[] {
    this.#isWanted = this.#isQuiet;
    if (this.#isQuiet) return [];
    this.#isQuiet = true;
    setTimeout(() => this.#awake(), QUIET_MS).unref();
    return [this.#word];
  }

  #awake(): void {
    this.#isQuiet = false;
    // Lost words are made up for by the listeners themselves.
    if (this.#isWanted) for (const word of this.word()) this.#tell(word).catch(() => undefined);
  }
}
