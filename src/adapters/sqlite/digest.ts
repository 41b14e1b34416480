/**
 * Checksums of content. A row's digest shows that the row is what was written; a table's sum of all its digests shows
 * that no row is missing, doubled or out of date. A sum can be kept up with each change without reading the table.
 */
import { hash } from 'node:crypto';

/** What a digest covers: the table, every key column, and the body. */
export type RowContent = readonly [table: string, ...columns: (string | number | null)[]];

/** SHA-256 of a row, 32 bytes. */
export function rowDigest(content: RowContent): Buffer {
  return hash('sha256', JSON.stringify(content), 'buffer');
}

const BYTES = 32;
/** A sum is added up in words of 32 bits, lowest first: the check of a large file is mostly this. */
const WORDS = BYTES / 4;
const WORD_BASE = 2 ** 32;

/** The sum of the digests of all rows of a table, modulo 2^256, and their number. The order of rows does not matter. */
export class TableSum {
  readonly #words: Uint32Array;
  #rows: number;

  private constructor(words: Uint32Array, rows: number) {
    this.#words = words;
    this.#rows = rows;
  }

  static empty(): TableSum {
    return new TableSum(new Uint32Array(WORDS), 0);
  }

  /** Reads what `text` wrote. Throws where it is something else. */
  static parse(text: string): TableSum {
    const match = /^([0-9a-f]{64})\/(\d{1,15})$/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined)
      throw new Error(`${JSON.stringify(text)} is no table sum`);
    return new TableSum(wordsOf(Buffer.from(match[1], 'hex')), Number(match[2]));
  }

  /** The sum in 64 hexadecimal digits, a slash, and the number of rows. */
  get text(): string {
    const bytes = Buffer.alloc(BYTES);
    this.#words.forEach((word, index) => bytes.writeUInt32LE(word, index * 4));
    return `${bytes.toString('hex')}/${this.#rows}`;
  }

  /** How many rows it is the sum of. */
  get rows(): number {
    return this.#rows;
  }

  add(digest: Uint8Array): void {
    this.#combine(wordsOf(digest), 1);
    this.#rows += 1;
  }

  subtract(digest: Uint8Array): void {
    this.#combine(wordsOf(digest), -1);
    this.#rows -= 1;
  }

  #combine(other: Uint32Array, sign: 1 | -1): void {
    let carry = 0;
    for (let index = 0; index < WORDS; index++) {
      const sum = (this.#words[index] ?? 0) + sign * (other[index] ?? 0) + carry;
      carry = Math.floor(sum / WORD_BASE);
      this.#words[index] = sum; // modulo 2^32
    }
  }
}

function wordsOf(digest: Uint8Array): Uint32Array {
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return Uint32Array.from({ length: WORDS }, (_, index) => view.getUint32(index * 4, true));
}
