/**
 * What delegates say of themselves on their local ports: whether they are ready, what is open, whether the service
 * refuses their version. Asked now and then; the last answer is kept until the next, or until it is too old.
 */
import { sendHttp } from '../adapters/http-request.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';
import { HEALTH_PATH } from './launch.ts';

export interface DelegateWords {
  readonly isReady: boolean;
  /** Absent: it does not say. */
  readonly openTasks?: number;
  /** The service refuses its version. */
  readonly isRefused: boolean;
}

const TIMEOUT: Milliseconds = 2_000;
const MOST_BYTES = 64 * 1024;
/** Older words say nothing of now. */
const TOO_OLD: Milliseconds = 10_000;

export class Looks {
  readonly #clock: Clock;
  readonly #said = new Map<string, { readonly words: DelegateWords; readonly at: Instant }>();
  readonly #closing = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined: it said nothing lately. */
  of({ id }: Instance): DelegateWords | undefined {
    const said = this.#said.get(id);
    return said === undefined || this.#clock.now() - said.at > TOO_OLD ? undefined : said.words;
  }

  /** Asks all that may answer; resolves when each has, or has not in time. One look follows the other. */
  async look(instances: readonly Instance[]): Promise<void> {
    const living = new Set(instances.map(({ id }) => id));
    for (const id of this.#said.keys()) if (!living.has(id)) this.#said.delete(id);
    const open = instances.filter(({ state, address }) => state !== 'Failed' && address.port !== 0);
    await Promise.all(open.map((instance) => this.#ask(instance)));
  }

  close(): void {
    this.#closing.abort();
  }

  async #ask({ id, address }: Instance): Promise<void> {
    try {
      const { body } = await sendHttp({
        target: { protocol: 'http:', ...address, path: HEALTH_PATH },
        method: 'GET',
        timeout: TIMEOUT,
        maxBytes: MOST_BYTES,
        signal: this.#closing.signal,
      });
      this.#said.set(id, { words: wordsOf(body), at: this.#clock.now() });
    } catch {
      // Whether it answers at all is the readiness probe's to say.
    }
  }
}

/** Reads what a delegate answers. What it leaves out, or does not say in JSON, speaks not against it. */
function wordsOf(body: string): DelegateWords {
  let read: unknown;
  try {
    read = JSON.parse(body);
  } catch {
    read = undefined;
  }
  if (typeof read !== 'object' || read === null) return { isReady: true, isRefused: false };
  const { ready, openTasks, versionNotActive } = read as Readonly<Record<string, unknown>>;
  const isCount = typeof openTasks === 'number' && Number.isSafeInteger(openTasks) && openTasks >= 0;
  return {
    isReady: ready !== false,
    isRefused: versionNotActive === true,
    ...(isCount && { openTasks: Math.min(openTasks, 0xffff_ffff) }),
  };
}
