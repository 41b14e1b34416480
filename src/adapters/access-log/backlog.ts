/**
 * Whether a proxy may have dropped reports because they could not be sent as fast as they were made. Envoy drops a report
 * only while its buffer for the stream is full; what was in that buffer then arrives before the report that was made last
 * before the drop. So no message that waited while less than the buffer's size arrived stands behind a drop.
 */
import type { Instant, Milliseconds } from '../../model/instant.ts';

/** Envoy's buffer for a stream holds 1 MiB (`per_connection_buffer_limit_bytes`); somewhat less is on the safe side. */
const BUFFER_BYTES = 768 * 1024;
/** How far back arrivals are remembered. */
const REMEMBERED: Milliseconds = 120_000;

export class Backlog {
  /** When bytes arrived, and how many had arrived by then. */
  readonly #arrivals: { readonly at: Instant; readonly total: number }[] = [];
  #total = 0;
  /** The total of the last arrival that was forgotten. */
  #forgotten = 0;
  /** The shortest way of a message so far: the difference of both clocks is in it. */
  #shortest = Number.POSITIVE_INFINITY;

  /**
   * Notes a message of `bytes` that arrived at `now` and whose newest entry was made at `made` by the proxy's clock. Returns
   * for how long it had waited behind a full buffer; undefined where it had not.
   */
  arrived(message: {
    readonly bytes: number;
    readonly made: number;
    readonly now: Instant;
  }): Milliseconds | undefined {
    const { bytes, made, now } = message;
    this.#shortest = Math.min(this.#shortest, now - made);
    const waited = now - made - this.#shortest;
    const ahead = this.#total - this.#totalAt(now - waited);
    this.passed({ bytes, now });
    return waited > 0 && ahead >= BUFFER_BYTES ? waited : undefined;
  }

  /** Notes a message that is not read. */
  passed({ bytes, now }: { readonly bytes: number; readonly now: Instant }): void {
    this.#total += bytes;
    this.#arrivals.push({ at: now, total: this.#total });
    this.#forget(now);
  }

  /** How many bytes had arrived at a time; those of the same millisecond are taken to have come later. */
  #totalAt(time: number): number {
    return this.#arrivals.findLast(({ at }) => at < time)?.total ?? this.#forgotten;
  }

  #forget(now: Instant): void {
    const old = this.#arrivals.findLastIndex(({ at }) => at < now - REMEMBERED);
    if (old < 1_000) return;
    this.#forgotten = this.#arrivals[old]?.total ?? this.#forgotten;
    this.#arrivals.splice(0, old + 1);
  }
}
