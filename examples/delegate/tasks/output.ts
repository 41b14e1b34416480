/** What a command prints: all of it passes through here, its end is kept, and lines that tell progress are found. */

/** Bytes of standard output that become the result: pipelines keep no more. */
const KEPT_BYTES = 48 * 1024;
/** `::progress 40 unpacking`: a line by which a command tells how far it is, in percent. */
const PROGRESS_LINE = /^::progress (\d{1,3})(?: (.{0,200}))?$/;
const LONGEST_LINE = 1_024;

export class KeptOutput {
  readonly #onProgress: (percent: number, note: string) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  #line = '';
  /** Bytes that passed. */
  total = 0;

  constructor(onProgress: (percent: number, note: string) => void) {
    this.#onProgress = onProgress;
  }

  add(chunk: Buffer): void {
    this.total += chunk.length;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= KEPT_BYTES) {
      this.#size -= this.#chunks.shift()?.length ?? 0;
    }
    this.#findProgress(chunk.toString('latin1'));
  }

  /** Its end, without the line breaks there. A character that was cut in two is left out. */
  get text(): string {
    const all = Buffer.concat(this.#chunks);
    let kept = all.subarray(Math.max(0, all.length - KEPT_BYTES));
    // Bytes 10xxxxxx go on with a character that began before the cut.
    while (this.total > kept.length && kept.length > 0 && ((kept[0] as number) & 0xc0) === 0x80)
      kept = kept.subarray(1);
    return kept.toString('utf8').replace(/[\r\n]+$/, '');
  }

  #findProgress(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) {
      const [, percent, note = ''] = PROGRESS_LINE.exec(line.trimEnd()) ?? [];
      if (percent !== undefined) {
        this.#onProgress(Math.min(100, Number(percent)), Buffer.from(note, 'latin1').toString('utf8'));
      }
    }
  }
}
