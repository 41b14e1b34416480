/**
 * The few facts about a state file that it keeps beside the rows: its form, its counters, and the sums of its tables.
 * Facts that a newer release added are kept as they are when this release writes.
 */
import type { DatabaseSync } from 'node:sqlite';
import { count, dictionary, object, type Shape, text, truth } from '../stored/shape.ts';
import { rowDigest } from './digest.ts';
import { corrupt } from './errors.ts';

/** The last migration that the file went through, and the oldest form number that may open it. */
export interface Format {
  readonly schema: number;
  readonly minReader: number;
}

export interface Counters {
  readonly nextPublication: number;
  readonly everWritten: boolean;
  /** The sequence number of the newest event, 0 before the first; it goes on when events are pruned. */
  readonly lastSequence: number;
}

/** The text of the TableSum of each table, by name; a newer release may have added tables. */
export type Seal = Readonly<Record<string, string>>;

interface MetaFacts {
  readonly format: Format;
  readonly counters: Counters;
  readonly seal: Seal;
}

const shapes: { readonly [Key in keyof MetaFacts]: Shape<MetaFacts[Key]> } = {
  format: object<Format>({ schema: count, minReader: count }),
  counters: object<Counters>({ nextPublication: count, everWritten: truth, lastSequence: count }),
  seal: dictionary(text),
};

/** Reads one fact. Throws StoreRefusedError (Corrupt) where it is absent, altered or of another shape. */
export function readMeta<Key extends keyof MetaFacts>(
  source: { database: DatabaseSync; file: string },
  key: Key,
): MetaFacts[Key] {
  const body = storedBody(source.database, key);
  if (body === undefined) throw corrupt(source.file, `meta row ${key} is missing`);
  if (!Buffer.from(body.digest).equals(rowDigest(['meta', key, body.text]))) {
    throw corrupt(source.file, `meta row ${key} does not match its checksum`);
  }
  try {
    return shapes[key].read(JSON.parse(body.text), '');
  } catch (error) {
    throw corrupt(source.file, `meta row ${key}: ${(error as Error).message}`);
  }
}

/** Writes one fact over what was there. */
export function writeMeta<Key extends keyof MetaFacts>(
  database: DatabaseSync,
  key: Key,
  facts: MetaFacts[Key],
): void {
  const before = storedBody(database, key);
  const kept: unknown = before === undefined ? {} : JSON.parse(before.text);
  const body = JSON.stringify({ ...(kept as object), ...facts });
  database
    .prepare('INSERT OR REPLACE INTO meta (key, body, digest) VALUES (?, ?, ?)')
    .run(key, body, rowDigest(['meta', key, body]));
}

function storedBody(database: DatabaseSync, key: string): { text: string; digest: Uint8Array } | undefined {
  const row = database.prepare('SELECT body, digest FROM meta WHERE key = ?').get(key);
  return row === undefined ? undefined : { text: String(row['body']), digest: row['digest'] as Uint8Array };
}
