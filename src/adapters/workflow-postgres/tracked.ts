/** Records that were read, and what became of them since: what has to be written in the end. */
export class Tracked<Id extends string, Item extends { readonly id: Id }> {
  readonly #items: Map<Id, Item>;
  readonly #stored: ReadonlyMap<Id, Item>;
  readonly #changed = new Set<Id>();
  readonly #removed = new Set<Id>();

  constructor(stored: readonly Item[]) {
    this.#stored = new Map(stored.map((item) => [item.id, item]));
    this.#items = new Map(this.#stored);
  }

  get(id: Id): Item | undefined {
    return this.#items.get(id);
  }

  /** The record as it was read. */
  before(id: Id): Item | undefined {
    return this.#stored.get(id);
  }

  all(): readonly Item[] {
    return [...this.#items.values()];
  }

  /** Adds a new record, or replaces one. */
  put(item: Item): void {
    this.#items.set(item.id, item);
    this.#changed.add(item.id);
  }

  remove(id: Id): void {
    this.#items.delete(id);
    this.#changed.delete(id);
    if (this.#stored.has(id)) this.#removed.add(id);
  }

  inserted(): readonly Item[] {
    return this.#written(false);
  }

  updated(): readonly Item[] {
    return this.#written(true);
  }

  removed(): readonly Id[] {
    return [...this.#removed];
  }

  #written(isStored: boolean): readonly Item[] {
    return [...this.#changed]
      .filter((id) => this.#stored.has(id) === isStored)
      .flatMap((id) => this.#items.get(id) ?? []);
  }
}
