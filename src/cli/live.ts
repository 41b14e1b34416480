/**
 * Shows views as they change: redrawn in place on a terminal, as lines of what changed where the output goes
 * elsewhere, as one JSON text per line where a machine reads.
 */

import type { Context } from './shell.ts';
import { cut } from './table.ts';

/** A view that is redrawn. */
export class Screen {
  readonly #stream: NodeJS.WriteStream;
  #height = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Replaces what was drawn last. Lines that do not fit are cut, so that the next redraw finds the first one. */
  draw(lines: readonly string[]): void {
    const { columns, rows } = this.#stream;
    const shown = lines.slice(0, Math.max(1, rows - 1)).map((line) => cut(line, columns));
    const back = this.#height > 0 ? `\x1b[${this.#height}A` : '';
    this.#stream.write(`${back}\r\x1b[J${shown.join('\n')}\n`);
    this.#height = shown.length;
  }
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
