/**
 * Checksums of content. A row's digest shows that the row is what was written; a table's sum of all its digests shows
 * that no row is missing, doubled or out of date. A sum can be kept up with each change without reading the table.
 */
import { createHash } from 'node:crypto';

/** What a digest covers: the table, every key column, and the body. */
export type RowContent = readonly [table: string, key: string | number, ...rest: (string | null)[]];

/** SHA-256 of a row, 32 bytes. */
export function rowDigest(content: RowContent): Buffer {
  return createHash('sha256').update(JSON.stringify(content)).digest();
}

const MODULUS = 1n << 256n;

/** The sum of the digests of all rows of a table, modulo 2^256, and their number. The order of rows does not matter. */
export class TableSum {
  #sum: bigint;
  #rows: number;

  private constructor(sum: bigint, rows: number) {
    this.#sum = sum;
    this.#rows = rows;
  }

  static empty(): TableSum {
    return new TableSum(0n, 0);
  }

  /** Reads what `text` wrote. Throws where it is something else. */
  static parse(text: string): TableSum {
    const match = /^([0-9a-f]{1,64})\/(\d{1,15})$/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined)
      throw new Error(`${JSON.stringify(text)} is no table sum`);
    return new TableSum(BigInt(`0x${match[1]}`), Number(match[2]));
  }

  get text(): string {
    return `${this.#sum.toString(16)}/${this.#rows}`;
  }

  add(digest: Uint8Array): void {
    this.#sum = (this.#sum + toNumber(digest)) % MODULUS;
    this.#rows += 1;
  }

  subtract(digest: Uint8Array): void {
    this.#sum = (this.#sum + MODULUS - toNumber(digest)) % MODULUS;
    this.#rows -= 1;
  }
}

function toNumber(digest: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex')}`);
}
