/** A queue between callbacks and one reader: `put` from anywhere, read with `for await` until closed or aborted. */

/** The most that waits for a slow reader. */
const LIMIT = 1000;

export class Mailbox<Item> implements AsyncIterable<Item> {
  readonly #items: Item[] = [];
  #closed = false;
  #wake: () => void = () => {};

  /** An aborted signal closes the mailbox. */
  constructor(signal: AbortSignal) {
    if (signal.aborted) this.#closed = true;
    else signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Whether there was room. */
  put(item: Item): boolean {
    if (this.#closed || this.#items.length >= LIMIT) return false;
    this.#items.push(item);
    this.#wake();
    return true;
  }

  /** Ends the reader's loop once it has read what waits. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift() as Item;
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
