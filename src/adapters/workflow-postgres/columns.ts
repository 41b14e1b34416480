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
  return String(row[column]);
}

export function numberIn(row: Row, column: string): number {
  return Number(row[column]);
}

export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : String(value);
}

export function optionalNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}
