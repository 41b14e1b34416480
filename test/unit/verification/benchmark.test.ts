// Our judge beside Kayenta's on the same simulated requests: false alarms and misses over ten looks. `npm test` draws a
// sample; `npm run test:full` runs 2,000 pairs for each row, and prints the table that docs/verification-statistics.md shows.
import { beforeAll, describe, expect, test } from 'vitest';
import { FALSE_ALARM, type Line, measureJudges, table } from '../../support/judge/benchmark.ts';
import { full, seed } from '../../support/seed.ts';

const PAIRS = full() ? 2_000 : 80;
/** How many standard errors a figure may be off: two in the whole run; a small sample has more rows that are off by chance. */
const ERRORS = full() ? 2 : 4;

/** The standard error of a share. */
const errorOf = (share: number) => Math.sqrt((share * (1 - share)) / PAIRS);
/** The standard error of how many more ours misses: of both shares, and of the bar that makes false alarms equal. */
const errorOfDifference = ({ ours, kayenta, kayentaError }: Line) =>
  Math.hypot(errorOf(ours), errorOf(kayenta), kayentaError);

let lines: readonly Line[] = [];
beforeAll(() => {
  lines = measureJudges(PAIRS, seed());
  console.log(`${PAIRS} pairs for each row, SWITCHYARD_SEED=${seed()}\n${table(lines)}`);
}, 600_000);

const quiet = () => lines.filter(({ row }) => row.name === row.quiet);
const faulty = () => lines.filter(({ row }) => row.name !== row.quiet);

/** The rows, by name, for which this does not hold. */
const breaches = (some: readonly Line[], holds: (line: Line) => boolean) =>
  some.filter((line) => !holds(line)).map(({ row }) => row.name);

describe('at equal false-alarm rates', () => {
  test('ours keeps the chance of a false alarm that the check declares, over all ten looks', () => {
    expect(quiet()).toHaveLength(6);
    const most = FALSE_ALARM + ERRORS * errorOf(FALSE_ALARM);
    expect(breaches(quiet(), ({ ours }) => ours <= most)).toEqual([]);
  });

  test('ours misses no more than Kayenta in any row', () => {
    expect(faulty().length).toBeGreaterThan(10);
    expect(
      breaches(faulty(), (line) => line.kayenta - line.ours <= ERRORS * errorOfDifference(line)),
    ).toEqual([]);
  });

  test('ours misses clearly fewer in the rows that users of Kayenta complain about', () => {
    const complaints = faulty().filter(({ row }) => row.isComplaint);
    expect(complaints).toHaveLength(4);
    const mean = (of: (line: Line) => number) =>
      complaints.reduce((sum, line) => sum + of(line), 0) / complaints.length;
    expect(mean(({ ours }) => 1 - ours)).toBeLessThan(mean(({ kayenta }) => 1 - kayenta) / 1.5);
    // A sample is too small to tell each of them apart.
    const each = full() ? complaints : [];
    expect(breaches(each, (line) => line.ours - line.kayenta > ERRORS * errorOfDifference(line))).toEqual([]);
  });
});

test('faults that are plain to see are never missed, and seen early', () => {
  const plain = lines.filter(({ row }) =>
    ['10 points more errors', '1.5x latency', '2x latency'].includes(row.name),
  );
  expect(plain).toHaveLength(3);
  expect(breaches(plain, ({ ours, meanLook }) => ours === 1 && meanLook < 3)).toEqual([]);
});
