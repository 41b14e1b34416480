/** kill -9 at any moment: all that was acknowledged is there afterwards, whole, and the file opens clean. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { full, seed } from '../../../support/seed.ts';
import { readHolding, temporaryFolder } from '../../../support/store-folder.ts';
import { holdingAfter, withoutFollowers } from '../../../support/store-writer-commits.ts';
import { StoreWriter } from '../../../support/store-writer-process.ts';

/** When to kill: after so many commits and so many milliseconds, or so long after the start. */
type Moment = { readonly commits: number; readonly milliseconds: number };

function moments(count: number): readonly Moment[] {
  const moment = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ commits: fc.integer({ min: 1, max: 25 }), milliseconds: fc.nat(12) }),
    },
    { weight: 1, arbitrary: fc.record({ commits: fc.constant(0), milliseconds: fc.nat(600) }) },
  );
  return fc.sample(moment, { seed: seed(), numRuns: count });
}

const KILLS = full() ? 100 : 8;

test(
  `${KILLS} kills at random moments lose no acknowledged commit, measurement or count`,
  async () => {
    const file = join(temporaryFolder(), 'state.db');
    let acknowledged = 0;
    /** What a writer that was killed between a commit and what follows it never wrote. */
    const skipped = new Set<number>();
    for (const { commits, milliseconds } of moments(KILLS)) {
      const writer = await StoreWriter.start({ file });
      if (commits > 0) await writer.acknowledged(acknowledged + commits);
      await wait(milliseconds);
      await writer.kill();
      acknowledged = Math.max(acknowledged, writer.last);
      if (!existsSync(file)) continue; // killed before the file was made
      const holding = readHolding(file);
      const stored = holding.state.services[0]?.generation ?? 0;
      // The commit that was under way may be there or not.
      expect([acknowledged, acknowledged + 1]).toContain(stored);
      const { measured, counted, rest } = withoutFollowers(holding);
      expect(rest).toEqual(holdingAfter(stored, 100));
      const expected = range(acknowledged).filter((number) => !skipped.has(number));
      for (const numbers of [measured, counted]) {
        expect(numbers.filter((number) => number <= acknowledged && !skipped.has(number))).toEqual(expected);
        expect(Math.max(0, ...numbers)).toBeLessThanOrEqual(stored);
      }
      if (stored > acknowledged) skipped.add(stored);
      acknowledged = stored;
    }
    expect(acknowledged).toBeGreaterThan(0);
  },
  KILLS * 10_000,
);

/** 1 to `last`. */
function range(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
