/**
 * Damage of a state file: whatever happens to its bytes, it opens with exactly what was written, or it is refused and
 * not changed. Wrong content is never served.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StoreContent } from '../../../../src/adapters/sqlite/content.ts';
import { StoreRefusedError } from '../../../../src/adapters/sqlite/errors.ts';
import { instant } from '../../../../src/model/instant.ts';
import { serviceName } from '../../../../src/model/names.ts';
import { full, seed } from '../../../support/seed.ts';
import { holdingIn, readHolding, temporaryFolder, withContent } from '../../../support/store-folder.ts';
import {
  measurement,
  recordWith,
  rolloutRecord,
  trafficCount,
  trafficCoverage,
} from '../../../support/stored-history.ts';
import { newEvent, proxySeen, serviceRecord } from '../../../support/stored-records.ts';

const PAGE = 4096;
/** Milliseconds for a property that opens many files. */
const PATIENCE = full() ? 600_000 : 60_000;

const SERVICES = ['a', 'b', 'c', 'd'];

/** Several pages of every table. */
function fill(content: StoreContent): void {
  for (const [index, name] of SERVICES.entries()) {
    content.commit({
      services: [serviceRecord({ name, document: `${name}: ${'x'.repeat(700)}` })],
      nextPublication: index + 2,
      events: Array.from({ length: 12 }, (_, at) => newEvent({ action: 'Flip', service: name, at })),
    });
  }
  content.saveProxies(Array.from({ length: 20 }, (_, index) => proxySeen({ id: `gateway-${index}` })));
  for (const name of SERVICES) {
    const rollout = rolloutRecord({ service: name });
    content.commit({ services: [recordWith(rollout, 2)] });
    content.history.append(Array.from({ length: 12 }, (_, index) => measurement(rollout.id, index + 1)));
    const service = serviceName(name);
    const spans = Array.from({ length: 30 }, (_, index) => instant((index + 1) * 20_000));
    content.history.saveTraffic(spans.map((from) => trafficCount({ service, from, requests: from % 977 })));
  }
  content.history.saveCoverage(trafficCoverage(1, 600_000));
}

/** Everything, read from the tables and, for the events of one service, through the index. */
function readEverything(file: string): unknown {
  return withContent(file, (content) => [
    holdingIn(content),
    SERVICES.map((name) => content.events({ limit: 1000, service: serviceName(name) })),
  ]);
}

function refusal(open: () => unknown): StoreRefusedError | undefined {
  try {
    open();
    return undefined;
  } catch (error) {
    if (error instanceof StoreRefusedError) return error;
    throw error;
  }
}

/** One thing that can go wrong with bytes. */
const damages: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 6 })
      .map((flips) => (bytes: Buffer) => {
        for (const [at, bit] of flips)
          bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit);
        return bytes;
      }),
  },
  { weight: 1, arbitrary: fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % bytes.length)) },
  {
    weight: 1,
    arbitrary: fc.nat().map((page) => (bytes: Buffer) => {
      const start = (page * PAGE) % bytes.length;
      bytes.subarray(start, start + PAGE).fill(0);
      return bytes;
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => (bytes: Buffer) => {
      const source = (from * PAGE) % bytes.length;
      bytes.copy(bytes, (to * PAGE) % bytes.length, source, source + PAGE);
      return bytes;
    }),
  },
);

describe('a damaged state file', () => {
  test('opens with exactly what was written, or is refused and left as it is', { timeout: PATIENCE }, () => {
    const folder = temporaryFolder();
    const intact = join(folder, 'intact.db');
    withContent(intact, fill);
    const expected = readEverything(intact);
    const bytes = readFileSync(intact);
    const damaged = join(folder, 'damaged.db');
    let refused = 0;
    fc.assert(
      fc.property(damages, (damage) => {
        const harmed = damage(Buffer.from(bytes));
        writeFileSync(damaged, harmed);
        const error = refusal(() => {
          expect(readEverything(damaged)).toEqual(expected);
        });
        if (error !== undefined) {
          refused += 1;
          expect(error.message).toContain(damaged);
          expect(readFileSync(damaged).equals(harmed)).toBe(true);
        }
        for (const name of readdirSync(folder)) if (name.startsWith('damaged')) rmSync(join(folder, name));
      }),
      { seed: seed(), numRuns: full() ? 20_000 : 400 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  test('an older page that comes back is found, although it was once right', () => {
    const file = join(temporaryFolder(), 'state.db');
    withContent(file, fill);
    const before = readFileSync(file);
    withContent(file, (content) => {
      content.commit({
        services: [{ ...serviceRecord({ name: 'a', generation: 3 }), document: `a: ${'y'.repeat(700)}` }],
      });
    });
    const now = readFileSync(file);
    expect(now.length).toBe(before.length);
    const changed = Array.from({ length: now.length / PAGE }, (_, page) => page * PAGE).filter(
      (start) => !now.subarray(start, start + PAGE).equals(before.subarray(start, start + PAGE)),
    );
    expect(changed.length).toBeGreaterThan(1);
    for (const start of changed.slice(1)) {
      const mixed = Buffer.from(now);
      before.copy(mixed, start, start, start + PAGE);
      writeFileSync(file, mixed);
      expect({ start, reason: refusal(() => readHolding(file))?.reason }).toEqual({
        start,
        reason: 'Corrupt',
      });
    }
  });

  test.each([
    ['DELETE FROM event WHERE key = 7', /rows of table event are missing/],
    ['DELETE FROM proxy', /rows of table proxy are missing/],
    [
      `UPDATE service SET body = json_set(body, '$.generation', 9) WHERE key = 'b'`,
      /row of service "b" does not match/,
    ],
    [
      `UPDATE meta SET body = json_set(body, '$.nextPublication', 1) WHERE key = 'counters'`,
      /meta row counters/,
    ],
    [`DELETE FROM meta WHERE key = 'seal'`, /meta row seal is missing/],
    ['DROP TABLE proxy', /no such table: proxy/],
    ['PRAGMA user_version = 0', /form numbers differ/],
    ['DELETE FROM measurement WHERE key = 5', /rows of table measurement are missing/],
    ['DELETE FROM traffic WHERE key = 1', /rows of table traffic are missing/],
    [
      `UPDATE rollout SET body = json_set(body, '$.state', 'Succeeded') WHERE key = 2`,
      /row of rollout 2 does not match/,
    ],
    [
      `UPDATE measurement SET body = replace(body, '"events":1', '"events":0') WHERE key = 3`,
      /row of measurement 3 does not match/,
    ],
    [
      `UPDATE traffic SET body = (SELECT body FROM traffic WHERE key = 2) WHERE key = 1`,
      /row of traffic 1 does not match/,
    ],
    ['DROP TABLE coverage', /no such table: coverage/],
  ])('a change by another hand is found: %s', (statement, message) => {
    const file = join(temporaryFolder(), 'state.db');
    withContent(file, fill);
    const database = new DatabaseSync(file);
    database.exec(statement);
    database.close();
    const error = refusal(() => readHolding(file));
    expect(error?.reason).toBe('Corrupt');
    expect(error?.message).toMatch(message);
    expect(error?.message).toContain('switchyard restore BACKUP');
  });

  test("an empty file, another program's file and text are not taken for a new store", () => {
    const folder = temporaryFolder();
    const [empty, words, foreign] = ['empty.db', 'words.db', 'foreign.db'].map((name) => join(folder, name));
    if (empty === undefined || words === undefined || foreign === undefined) throw new Error('three names');
    writeFileSync(empty, '');
    writeFileSync(words, 'kind: VersionedService\n'.repeat(100));
    const database = new DatabaseSync(foreign);
    database.exec('CREATE TABLE theirs (a)');
    database.close();
    for (const [file, reason] of [
      [empty, 'Corrupt'],
      [words, 'Foreign'],
      [foreign, 'Foreign'],
    ] as const) {
      const before = readFileSync(file);
      expect(refusal(() => readHolding(file))?.reason).toBe(reason);
      expect(readFileSync(file).equals(before)).toBe(true);
    }
  });

  test('a write-ahead log without its state file is not joined to a new one', () => {
    const file = join(temporaryFolder(), 'state.db');
    writeFileSync(`${file}-wal`, 'what a moved state file left');
    expect(refusal(() => readHolding(file))?.reason).toBe('Incomplete');
    expect(readFileSync(`${file}-wal`, 'utf8')).toBe('what a moved state file left');
  });
});
