/**
 * Changes that must follow each other: each key has a queue, a change enters, and it runs when those before it with
 * the same key have ended, well or badly. Changes with different keys do not wait for each other.
 */
export class Turns<Key> {
  readonly #last = new Map<Key, Promise<unknown>>();

  /** Runs `change` in its turn; resolves or rejects with it. */
  async take<Result>(key: Key, change: () => Promise<Result>): Promise<Result> {
    const turn = this.ended(key).then(change);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }

  /** Resolves when the changes of `key` that are queued now have ended. */
  async ended(key: Key): Promise<void> {
    await this.#last.get(key)?.catch(() => undefined);
  }

  /** Resolves when all changes that are queued now have ended. */
  async allEnded(): Promise<void> {
    await Promise.allSettled(this.#last.values());
  }
}
