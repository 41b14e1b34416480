/** The newest audit events, numbered without gaps. */
import type { AuditEvent, NewAuditEvent } from '../../model/audit.ts';
import type { EventQuery } from '../../ports/store.ts';

export class EventLog {
  readonly #kept: number;
  #events: readonly AuditEvent[] = [];
  #lastSequence: number;

  /** `kept`: the oldest of more go. `lastSequence`: the number of the last event before. */
  constructor({ kept, lastSequence = 0 }: { kept: number; lastSequence?: number }) {
    this.#kept = kept;
    this.#lastSequence = lastSequence;
  }

  /** Of the newest event, also where it is not kept any more. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /** Returns the events with their numbers. */
  append(events: readonly NewAuditEvent[]): readonly AuditEvent[] {
    const written = events.map((event, index) => ({ ...event, sequence: this.#lastSequence + 1 + index }));
    this.#lastSequence += written.length;
    this.#events = [...this.#events, ...written].slice(-this.#kept);
    return written;
  }

  read({ service, afterSequence = 0, limit, newest = false }: EventQuery): readonly AuditEvent[] {
    const matching = this.#events.filter(
      (event) => event.sequence > afterSequence && (service === undefined || event.service === service),
    );
    return newest ? matching.slice(-limit) : matching.slice(0, limit);
  }
}
