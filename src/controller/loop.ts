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

export class Loop {
  readonly #parts: RoundParts;
  readonly #log: LoopLog;
  readonly #running = new Map<ServiceName, Promise<void>>();
  readonly #again = new Set<ServiceName>();
  #stopped = false;

  constructor(parts: RoundParts, log: LoopLog) {
    this.#parts = parts;
    this.#log = log;
  }

  /** Plans for one service, or for all, as soon as may be. */
  wake(service?: ServiceName): void {
    if (this.#stopped) return;
    const services = service === undefined ? [...this.#parts.ledger.records().keys()] : [service];
    for (const name of services) {
      if (this.#running.has(name)) this.#again.add(name);
      else this.#running.set(name, this.#runRounds(name));
    }
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
        changed = await runRound(this.#parts, service);
      } while ((changed || this.#again.has(service)) && !this.#stopped);
    } catch (error) {
      this.#log.warn({ service, error: String(error) }, 'a round failed; it will be tried again');
    } finally {
      this.#running.delete(service);
    }
  }
}
