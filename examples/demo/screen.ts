/** Prints the demo's progress: lines of at most 80 columns, and on a terminal a status line that is redrawn below. */
import { stdout } from 'node:process';

const WIDTH = 80;

export class Screen {
  readonly #startedAt = performance.now();
  readonly #isTerminal = stdout.isTTY;
  #status = () => '';
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Shows this line under everything else from now on; without a terminal, after each act instead. */
  follow(status: () => string): void {
    this.#status = status;
    if (this.#isTerminal) this.#timer = setInterval(() => this.#draw(), 250);
  }

  unfollow(): void {
    clearInterval(this.#timer);
    this.#erase();
    this.#status = () => '';
  }

  /** Shows nothing any more. */
  end(): void {
    this.unfollow();
    this.#ended = true;
  }

  /** Begins an act. */
  act(title: string): void {
    const status = this.#status();
    if (!this.#isTerminal && status !== '') this.say(status);
    const at = ((performance.now() - this.#startedAt) / 1000).toFixed(1);
    this.print(['', ...wrap(`${at.padStart(5)}s ${title}`, '       ')]);
  }

  /** One remark within an act. */
  say(text: string): void {
    this.print(wrap(`       ${text}`, '       '));
  }

  /** Lines as they are. */
  print(lines: readonly string[]): void {
    if (this.#ended) return;
    this.#erase();
    stdout.write(`${lines.join('\n')}\n`);
    this.#draw();
  }

  #draw(): void {
    if (!this.#isTerminal) return;
    const status = this.#status();
    if (status !== '') stdout.write(`\r\x1b[K${status.slice(0, Math.min(WIDTH, stdout.columns) - 1)}`);
  }

  #erase(): void {
    if (this.#isTerminal) stdout.write('\r\x1b[K');
  }
}

/** Breaks a text at spaces. Words longer than a line stay whole, so that they can be copied. */
export function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trimEnd().split(/(?<=\S)(?= )/)) {
    if (line !== '' && line.length + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}${word.trimStart()}`;
    } else {
      line += word;
    }
  }
  return [...lines, line];
}

/** Rows of a label and what it is, one below the other. */
export function table(rows: readonly (readonly [string, string | number])[]): string[] {
  return rows.map(([label, value]) => `${label.padEnd(28)} ${value}`);
}

/** A command as it may be typed: words that a shell would change in quotes, and a long one over several lines. */
export function commandLines(words: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}$`;
  for (const word of words.map(quoted)) {
    if (line.length + 1 + word.length > WIDTH - CONTINUED.length) {
      lines.push(`${line}${CONTINUED}`);
      line = `${indent}    ${word}`;
    } else {
      line += ` ${word}`;
    }
  }
  return [...lines, line];
}

const CONTINUED = ' \\';

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
