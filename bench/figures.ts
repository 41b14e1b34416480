/**
 * What many runs say: medians of each figure over the rounds, and ratios of the two servers, taken within each round
 * because a machine is never the same for long.
 */
import type { Figures } from './run.ts';

/** One figure over several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The figures of one run, each as one number. */
export const MEASURES = {
  'half of the streams, ms': ({ flips }: Figures) => median(flips.map((flip) => flip.median)),
  '99% of the streams, ms': ({ flips }: Figures) => median(flips.map(({ p99 }) => p99)),
  'last receipt, ms': ({ flips }: Figures) => median(flips.map(({ last }) => last)),
  'CPU per push, µs': ({ cpuUsPerPush }: Figures) => cpuUsPerPush,
  'memory per stream, KB': ({ memoryKbPerStream }: Figures) => memoryKbPerStream,
  'storm, ms': ({ stormMs }: Figures) => stormMs,
  'storm CPU per stream, µs': ({ stormCpuUsPerStream }: Figures) => stormCpuUsPerStream,
} as const satisfies Record<string, (figures: Figures) => number>;

export type MeasureName = keyof typeof MEASURES;

/** One line of the result. */
export interface Comparison {
  readonly measure: MeasureName;
  readonly ours: Spread;
  readonly peer: Spread;
  /** Ours over the peer's, within each round. */
  readonly ratio: Spread;
}

export interface Round {
  readonly ours: Figures;
  readonly peer: Figures;
}

/** Compares the servers over all rounds; there must be at least one. */
export function compare(rounds: readonly Round[]): readonly Comparison[] {
  return Object.entries(MEASURES).map(([measure, read]) => {
    const ours = rounds.map((round) => read(round.ours));
    const peer = rounds.map((round) => read(round.peer));
    return {
      measure: measure as MeasureName,
      ours: spreadOf(ours),
      peer: spreadOf(peer),
      ratio: spreadOf(ours.map((value, index) => value / (peer[index] ?? Number.NaN))),
    };
  });
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** The comparison as lines of text. */
export function tableOf(comparisons: readonly Comparison[]): string {
  const lines = comparisons.map(({ measure, ours, peer, ratio }) => [
    measure,
    number(ours.median),
    number(peer.median),
    `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`,
  ]);
  const all = [['', 'switchyard', 'go-control-plane', 'ratio (least to most)'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}
