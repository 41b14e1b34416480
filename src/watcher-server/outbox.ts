/**
 * Streams that have something to be told. When a goal state changes thousands have at once; they are told in turns, so
 * that everything else that the process does goes on between. A stream is in it once, however often it changed.
 */

/** Streams told in one turn: a few milliseconds' worth. */
const IN_A_TURN = 50;

export class Outbox<Stream> {
  readonly #tell: (stream: Stream) => void;
  readonly #waiting = new Set<Stream>();
  #turn: NodeJS.Immediate | undefined;

  constructor(tell: (stream: Stream) => void) {
    this.#tell = tell;
  }

  add(stream: Stream): void {
    this.#waiting.add(stream);
    this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  delete(stream: Stream): void {
    this.#waiting.delete(stream);
  }

  /** Tells nobody any more. */
  stop(): void {
    clearImmediate(this.#turn);
    this.#waiting.clear();
  }

  #takeTurn(): void {
    let left = IN_A_TURN;
    for (const stream of this.#waiting) {
      if (left === 0) break;
      left -= 1;
      this.#waiting.delete(stream);
      this.#tell(stream);
    }
    this.#turn = this.#waiting.size === 0 ? undefined : setImmediate(() => this.#takeTurn());
  }
}
