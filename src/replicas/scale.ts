/**
 * Two ways to number the same publications. A process numbers what it publishes to its own proxies one by one; replicas
 * compare by commits of the recorded state, of which one may be published several times as endpoints come and go.
 */

interface Pair {
  readonly fine: number;
  readonly coarse: number;
}

/** More are never between two proxies of one process that are in use. */
const KEPT = 4_096;

export class Scale {
  /** Both numbers rise; one pair for the first fine number of each coarse one. */
  readonly #pairs: Pair[] = [];

  /** Says that the fine number shows all up to the coarse one. Both must not be lower than before. */
  note(fine: number, coarse: number): void {
    const last = this.#pairs.at(-1);
    if (last !== undefined && (fine < last.fine || coarse < last.coarse))
      throw new RangeError(
        `a scale must rise: after ${last.fine} for ${last.coarse} came ${fine} for ${coarse}`,
      );
    if (last?.coarse === coarse) return;
    this.#pairs.push({ fine, coarse });
    if (this.#pairs.length > KEPT) this.#pairs.shift();
  }

  /** The newest coarse number that a fine one shows in full; 0 where it shows none that is known. */
  coarse(fine: number): number {
    return this.#pairs.findLast((pair) => pair.fine <= fine)?.coarse ?? 0;
  }

  /** The newest fine number, of those up to `newest`, that shows nothing beyond the coarse one; 0 where none is known. */
  fine(coarse: number, newest: number): number {
    const beyond = this.#pairs.find((pair) => pair.coarse > coarse);
    if (beyond === undefined) return this.#pairs.length === 0 ? 0 : newest;
    return beyond === this.#pairs[0] ? 0 : beyond.fine - 1;
  }
}
