/** Counts how calls ended, for the client in Node. */
import type { Outcomes } from './protocol.ts';

export class OutcomeCount {
  readonly #counts = new Map<string, number>();
  readonly #order: string[] = [];
  readonly #errors = new Map<string, string>();
  #made = 0;

  get made(): number {
    return this.#made;
  }

  /** `outcome` is a version or the name of a status; `error` is the text of a failure. */
  add(outcome: string, error?: string): void {
    this.#made += 1;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (this.#order.at(-1) !== outcome) this.#order.push(outcome);
    if (error !== undefined && !this.#errors.has(outcome)) this.#errors.set(outcome, error);
  }

  outcomes(): Outcomes {
    return {
      counts: Object.fromEntries(this.#counts),
      order: this.#order,
      errors: [...this.#errors.values()],
    };
  }
}
