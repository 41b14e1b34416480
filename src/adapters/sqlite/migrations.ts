/**
 * The form of a state file, as the numbered steps that lead to it. A step may only add: tables, indexes, columns that
 * SQLite generates from `body`. So the release before, which knows fewer steps, still opens the file; where that
 * cannot be, `minReader` says which release is the oldest that can. Steps are data, since they cross into a worker.
 */

/** One step. Its number is the file's `user_version` afterwards. */
export interface Migration {
  readonly number: number;
  /** The oldest form number whose releases can still read and write the file after this step. */
  readonly minReader: number;
  readonly statements: readonly string[];
}

/** "SwYd" as a number: what tells a state file from any other SQLite file. */
export const APPLICATION_ID = 0x53775964;

/** All steps, numbered from 1. Never edit one that was released; add another. */
export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    minReader: 1,
    statements: [
      // Every row carries the SHA-256 of its key and body: SQLite itself does not notice a flipped bit in a page.
      'CREATE TABLE service (key TEXT PRIMARY KEY, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID',
      'CREATE TABLE proxy (key TEXT PRIMARY KEY, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID',
      'CREATE TABLE event (key INTEGER PRIMARY KEY, service TEXT, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT',
      'CREATE INDEX event_by_service ON event (service, key)',
      // `format`, `counters` and `seal`, see seal.ts and meta.ts.
      'CREATE TABLE meta (key TEXT PRIMARY KEY, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID',
    ],
  },
  {
    number: 2,
    // Release 0.1.0 opens the file, until a record holds what it cannot read (stored/oldest-reader.ts).
    minReader: 1,
    statements: [
      'CREATE TABLE rollout (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, service TEXT NOT NULL, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT',
      'CREATE INDEX rollout_by_service ON rollout (service, key)',
      'CREATE TABLE measurement (key INTEGER PRIMARY KEY, rollout TEXT NOT NULL, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT',
      'CREATE INDEX measurement_by_rollout ON measurement (rollout, key)',
      // A row is a minute of a service, packed (traffic-rows.ts): a row for each count would be millions.
      'CREATE TABLE traffic (key INTEGER PRIMARY KEY, service TEXT NOT NULL, start INTEGER NOT NULL, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT',
      'CREATE UNIQUE INDEX traffic_by_service ON traffic (service, start)',
      'CREATE INDEX traffic_by_start ON traffic (start)',
      'CREATE TABLE coverage (key INTEGER PRIMARY KEY, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT',
    ],
  },
  {
    number: 3,
    // Releases 0.1.0 and 0.2.0 open the file, until a record holds what they cannot read (stored/oldest-reader.ts).
    minReader: 1,
    statements: [
      'CREATE TABLE watcher (key TEXT PRIMARY KEY, service TEXT NOT NULL, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID',
      'CREATE INDEX watcher_by_service ON watcher (service)',
      // Its key is the rollout's id.
      'CREATE TABLE roll (key TEXT PRIMARY KEY, body TEXT NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID',
    ],
  },
];
