/**
 * Shows views as they change: redrawn in place on a terminal, as lines of what changed where the output goes
 * elsewhere, as one JSON text per line where a machine reads.
 */

import type { Context } from './shell.ts';
import { cut } from './table.ts';

/** DECAWM: whether the terminal goes on in the next line where one is full. */
const NO_BREAKS = '\x1b[?7l';
const BREAKS = '\x1b[?7h';

/** A view that is redrawn. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #height = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /**
   * Replaces what was drawn last: each line is written over, then its rest is erased, so nothing is blank in between.
   * Lines that do not fit are cut, and the terminal is told to break none (characters of double width), so that the
   * next redraw finds the first one.
   */
  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, this.height).map((line) => cut(line, this.width));
    const back = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    this.#stream.write(
      `${NO_BREAKS}${back}${shown.map((line) => `\r${line}\x1b[K\n`).join('')}\x1b[J${BREAKS}`,
    );
    this.#height = shown.length;
  }

  /** Characters in a line, now. */
  get width(): number {
    return this.#stream.columns;
  }

  /** Lines that fit, now; the cursor stands below them. */
  get height(): number {
    return Math.max(1, this.#stream.rows - 1);
  }
}

/** Shows messages in place: drawn when one comes, and every second so that ages go on. */
export function redrawn<Message>(
  context: Context,
  lines: (message: Message, place: { readonly screen: Screen; readonly now: number }) => readonly string[],
): (message: Message) => void {
  const screen = new Screen(context.shell.stdout);
  let latest: { readonly message: Message } | undefined;
  const draw = (): void => {
    if (latest !== undefined) screen.draw(lines(latest.message, { screen, now: Date.now() }));
  };
  setInterval(draw, 1000).unref();
  return (message) => {
    latest = { message };
    draw();
  };
}

/** The lines of a view that were not there the last time, keyed so that a row that changed is printed again. */
export class ChangedLines {
  #last: ReadonlySet<string> = new Set();

  /** `key` of a line is what must differ for it to count as changed (an age, for example, is left out of it). */
  next(lines: readonly { readonly key: string; readonly text: string }[]): string[] {
    const last = this.#last;
    this.#last = new Set(lines.map(({ key }) => key));
    return lines.filter(({ key }) => !last.has(key)).map(({ text }) => text);
  }
}

/** Whether views are redrawn in place. */
export function isLive({ shell, options }: Context): boolean {
  return (
    shell.stdout.isTTY &&
    shell.env['TERM'] !== 'dumb' &&
    (options.output === 'table' || options.output === 'wide')
  );
}

/** Aborted by Ctrl-C and SIGTERM: watching ends, which is no error. */
export function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  return interrupted.signal;
}
