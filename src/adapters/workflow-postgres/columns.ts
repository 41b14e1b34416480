/** Values of rows as the driver gives them, and text that Postgres takes. */
import type { Json } from '../../model/json.ts';
import { MAX_PAYLOAD_BYTES, PayloadTooLargeError } from '../../ports/workflow-store.ts';

/** A row: bigint as text, smaller integers as numbers. */
export type Row = Readonly<Record<string, unknown>>;

/** Whether the text may be an id of this store: another one names nothing here. */
export function isId(text: string): boolean {
  return /^[1-9]\d{0,17}$/.test(text);
}

/** Text as Postgres takes it: it refuses the character 0, and halves of a surrogate pair. */
export function plain(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\uFFFD');
}

/** The JSON text of a value. Throws PayloadTooLargeError. */
export function jsonText(what: string, value: Json): string {
  const text = JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(what, bytes);
  return text;
}

export function textIn(row: Row, column: string): string {
  return textOf(row[column]);
}

/** The driver gives text for what it does not parse, and numbers. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return value.toString();
  throw new TypeError('a column that must have text or a number has something else');
}

export function numberIn(row: Row, column: string): number {
  return Number(row[column]);
}

export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : textOf(value);
}

export function optionalNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}
