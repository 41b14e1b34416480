import { describe, expect, test } from 'vitest';
import { compare, median, tableOf } from '../../../bench/figures.ts';
import type { Figures } from '../../../bench/run.ts';

function figures(lasts: readonly number[], cpuUsPerPush: number): Figures {
  return {
    stormMs: 100,
    stormCpuUsPerStream: 200,
    memoryKbPerStream: 50,
    flips: lasts.map((last) => ({ median: last / 2, p99: last - 1, last })),
    cpuUsPerPush,
    loadCpuUsPerPush: 10,
    responseBytes: [1, 2, 3, 4],
    flipBytes: 4,
    responses: 8,
  };
}

const rounds = [
  { ours: figures([10, 30, 20], 40), peer: figures([100], 160) },
  { ours: figures([50], 100), peer: figures([50], 100) },
  { ours: figures([30], 50), peer: figures([60], 100) },
];

describe('the figures of a benchmark', () => {
  test('a median is the middle value, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test('a ratio is taken within each round, and its spread is shown', () => {
    const [last] = compare(rounds).filter(({ measure }) => measure === 'last receipt, ms');
    expect(last).toEqual({
      measure: 'last receipt, ms',
      ours: { median: 30, least: 20, most: 50 },
      peer: { median: 60, least: 50, most: 100 },
      ratio: { median: 0.5, least: 0.2, most: 1 },
    });
  });

  test('the table has a line for each measure, in columns', () => {
    const lines = tableOf(compare(rounds)).split('\n');
    expect(lines).toHaveLength(8);
    expect(lines.find((line) => line.startsWith('CPU per push'))).toMatch(
      /^CPU per push, µs +50\.0 +100 +0\.50 \(0\.25 to 1\.00\)$/,
    );
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});
