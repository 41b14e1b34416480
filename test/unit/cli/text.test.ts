/** Tables and lengths of time, as people write and read them. */
import { stripVTControlCharacters, styleText } from 'node:util';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/cli/duration.ts';
import { ChangedLines } from '../../../src/cli/live.ts';
import { tableLines } from '../../../src/cli/table.ts';
import { stragglerLines } from '../../../src/cli/views/convergence.ts';
import { ConvergenceSchema } from '../../../src/gen/switchyard/admin/v1/changes_pb.js';

describe('a length of time', () => {
  test.each([
    ['0', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['7d', 604_800_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(['', '10', 's', '-1s', '10 s', '1s!', '1S', 'ms', '1m 30s'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, '0ms'],
    [999, '999ms'],
    [1000, '1s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [330_000, '5m30s'],
    [3_600_000, '60m'],
    [3 * 3_600_000 + 12 * 60_000, '3h12m'],
    [30 * 3_600_000, '30h'],
    [5 * 86_400_000, '5d'],
  ])('of %d ms is shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  test('that is shown can be read back, and is never longer than what it shows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBeLessThanOrEqual(milliseconds);
      }),
    );
  });
});

describe('a table', () => {
  interface Row {
    readonly name: string;
    readonly note: string;
  }
  const columns = [
    { heading: 'NAME', text: ({ name }: Row) => name },
    { heading: 'LENGTH', text: ({ note }: Row) => String(note.length), wide: true },
    { heading: 'NOTE', text: ({ note }: Row) => note },
  ];

  test('sets columns apart by spaces, pads none at the end of a line, and shows nothing as -', () => {
    const rows = [
      { name: 'a', note: 'x' },
      { name: 'longer', note: '' },
    ];
    expect(tableLines(columns, rows, { wide: false })).toEqual(['NAME    NOTE', 'a       x', 'longer  -']);
  });

  test('shows wide columns only where asked for', () => {
    const [headings] = tableLines(columns, [{ name: 'a', note: 'x' }], { wide: true });
    expect(headings).toBe('NAME  LENGTH  NOTE');
  });

  test('has columns of equal width whether or not cells are coloured', () => {
    const green = (text: string) => styleText('green', text, { validateStream: false });
    const [plain, ...others] = columns;
    const painted = [{ ...(plain ?? expect.fail('no column')), paint: green }, ...others];
    const [, coloured = ''] = tableLines(painted, [{ name: 'a', note: 'x' }], { wide: false });
    const [, uncoloured] = tableLines(columns, [{ name: 'a', note: 'x' }], { wide: false });
    expect(coloured).toContain(green('a'));
    expect(stripVTControlCharacters(coloured)).toBe(uncoloured);
  });

  test('prints no control character of a cell, so a name forges neither rows nor colours', () => {
    const [, ...rows] = tableLines(columns, [{ name: '\x1b[32mok\x1b[0m\nb  InSync', note: 'x' }], {
      wide: false,
    });
    expect(rows).toEqual([expect.stringContaining('\uFFFD[32mok\uFFFD[0m b  InSync')]);
  });

  test('never has a line wider than the terminal', () => {
    const row = fc.record({ name: fc.string(), note: fc.string() });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 10, max: 200 }), (rows, width) => {
        const lines = tableLines(columns, rows, { wide: true, width });
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
      }),
    );
  });
});

test('of the proxies that have not followed ten are told, and how many more there are', () => {
  const stragglers = Array.from({ length: 12 }, (_, index) => ({ proxy: `gw${index}`, message: 'a\nb' }));
  const lines = stragglerLines(create(ConvergenceSchema, { stragglers }));
  expect(lines).toHaveLength(11);
  expect(lines[0]).toMatch(/gw0: .*: a b$/);
  expect(lines.at(-1)).toBe('  and 2 more');
  expect(stragglerLines(create(ConvergenceSchema, { stragglers: stragglers.slice(0, 10) }))).toHaveLength(10);
});

test('of lines that are shown again only those whose key is new are printed', () => {
  const lines = (...keys: string[]) => keys.map((key) => ({ key, text: `row ${key}` }));
  const changed = new ChangedLines();
  expect(changed.next(lines('a', 'b'))).toEqual(['row a', 'row b']);
  expect(changed.next(lines('a', 'c'))).toEqual(['row c']);
  expect(changed.next(lines('a'))).toEqual([]);
  expect(changed.next(lines('a', 'b'))).toEqual(['row b']);
});
