/**
 * The loop that joins the two walks: whoever sees a change wakes it, and each service gets rounds until a round
 * changes nothing. A failed round is logged and tried again; it never ends the loop.
 */
import type { ServiceName } from '../model/names.ts';
import { type RoundParts, runRound } from './round.ts';

/** Where the loop reports what it could not do. */
export interface LoopLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** `changed`: the record did. `failed`: it threw, and will be tried again. */
export type RoundResult = 'changed' | 'unchanged' | 'failed';

/** Told when a round of a service begins, and, by the function that it returns, how it ended. */
export type RoundObserver = (service: ServiceName) => (result: RoundResult) => void;

export class Loop {
  readonly #parts: RoundParts;
  readonly #log: LoopLog;
  readonly #observe: RoundObserver;
  readonly #running = new Map<ServiceName, Promise<void>>();
  readonly #again = new Set<ServiceName>();
  #stopped = false;

  constructor(parts: RoundParts, log: LoopLog, observe: RoundObserver = () => () => {}) {
    this.#parts = parts;
    this.#log = log;
    this.#observe = observe;
  }

  /** Plans for one service, or for all, as soon as may be. Resolves when there is nothing left to do; never rejects. */
  async wake(service?: ServiceName): Promise<void> {
    if (this.#stopped) return;
    const services = service === undefined ? [...this.#parts.ledger.records().keys()] : [service];
    const running = services.map((name) => {
      const known = this.#running.get(name);
      if (known !== undefined) {
        this.#again.add(name);
        return known;
      }
      const begun = this.#runRounds(name);
      this.#running.set(name, begun);
      return begun;
    });
    await Promise.all(running);
  }

  /** Takes no new rounds and resolves when the running ones have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running.values());
  }

  async #runRounds(service: ServiceName): Promise<void> {
    // Let the caller go on first: an operation that wakes the loop has not yet answered.
    await Promise.resolve();
    try {
      let changed: boolean;
      do {
        this.#again.delete(service);
        changed = await this.#observedRound(service);
      } while ((changed || this.#again.has(service)) && !this.#stopped);
    } catch (error) {
      this.#log.warn({ service, error: String(error) }, 'a round failed; it will be tried again');
    } finally {
      this.#running.delete(service);
    }
  }
  async #observedRound(service: ServiceName): Promise<boolean> {
    const ended = this.#observe(service);
    try {
      const changed = await runRound(this.#parts, service);
      ended(changed ? 'changed' : 'unchanged');
      return changed;
    } catch (error) {
      ended('failed');
      throw error;
    }
  }
}
