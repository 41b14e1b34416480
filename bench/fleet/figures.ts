/** What the runs say: medians over the rounds, and ratios of ours to the peer's within each round. */
import { median } from '../figures.ts';
import type { Figures, Held, OurFigures } from './run.ts';

export interface Round {
  readonly ours: OurFigures;
  readonly bare: Figures;
}

interface Measure {
  readonly name: string;
  readonly read: (figures: Figures) => number;
}

const held = (who: 'watchers' | 'delegates'): readonly Measure[] => {
  const measure = (name: string, read: (held: Held) => number): Measure => ({
    name: `${who}: ${name}`,
    read: (figures) => read(figures[who]),
  });
  return [
    measure('memory per stream, KB', ({ memoryKb }) => memoryKb),
    measure('CPU per stream that comes, µs', ({ comeCpuUs }) => comeCpuUs),
    measure('half are back after kill -9, ms', ({ again }) => again.median),
    measure('all are back after kill -9, ms', ({ again }) => again.last),
    measure('of it until it listens again, ms', ({ restartMs }) => restartMs),
    measure('CPU per stream that is back, µs', ({ againCpuUs }) => againCpuUs),
  ];
};

const MEASURES: readonly Measure[] = [
  ...held('watchers'),
  { name: 'half are told, ms', read: ({ informed }) => median(informed.map((one) => one.median)) },
  { name: '99% are told, ms', read: ({ informed }) => median(informed.map(({ p99 }) => p99)) },
  { name: 'all are told, ms', read: ({ informed }) => median(informed.map(({ last }) => last)) },
  {
    name: 'CPU per watcher that is told, µs',
    read: ({ informed }) => median(informed.map(({ cpuUs }) => cpuUs)),
  },
  { name: 'bytes of what it is told', read: ({ informed }) => median(informed.map(({ bytes }) => bytes)) },
  ...held('delegates'),
];

const OWN: readonly { readonly name: string; readonly read: (figures: OurFigures) => number }[] = [
  { name: 'JavaScript heap of the controller per watcher, KB', read: ({ watcherHeapKb }) => watcherHeapKb },
  { name: 'memory of the gateway per delegate, KB', read: ({ gatewayKb }) => gatewayKb },
  { name: 'admin read, nobody connected, 99%, ms', read: ({ reads }) => reads.alone.p99 },
  { name: 'admin read, all connected, 99%, ms', read: ({ reads }) => reads.atRest.p99 },
  {
    name: 'admin read, while all are told, half, ms',
    read: ({ reads }) => median(reads.telling.map((one) => one.median)),
  },
  {
    name: 'admin read, while all are told, 99%, ms',
    read: ({ reads }) => median(reads.telling.map(({ p99 }) => p99)),
  },
  {
    name: 'admin read, while all are told, longest, ms',
    read: ({ reads }) => median(reads.telling.map(({ longest }) => longest)),
  },
  { name: 'order to commit, nobody connected, ms', read: ({ commitMs }) => commitMs.alone },
  { name: 'order to commit, while all are told, ms', read: ({ commitMs }) => median(commitMs.telling) },
  { name: 'order to gateway in step, nobody connected, ms', read: ({ gatewayMs }) => gatewayMs.alone },
  {
    name: 'order to gateway in step, while all are told, ms',
    read: ({ gatewayMs }) => median(gatewayMs.telling),
  },
  {
    name: 'times asked to come back, per watcher',
    read: ({ watchers }) => watchers.again.comeBacks / watchers.again.count,
  },
  { name: 'at rest: CPU of the controller, %', read: ({ atRestPercent }) => atRestPercent.controller },
  { name: 'at rest: CPU of both managers, %', read: ({ atRestPercent }) => atRestPercent.managers },
  { name: 'at rest: CPU of the gateway, %', read: ({ atRestPercent }) => atRestPercent.gateway },
];

/** One figure of both, with the ratio of each round. */
export interface ComparedLine {
  readonly name: string;
  readonly ours: number;
  readonly bare: number;
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number };
}

/** Compares both over all rounds; there must be at least one. */
export function compare(rounds: readonly Round[]): { lines: readonly ComparedLine[]; text: string } {
  const lines = MEASURES.map(({ name, read }) => {
    const ratios = rounds.map(({ ours, bare }) => read(ours) / read(bare));
    return {
      name,
      ours: median(rounds.map(({ ours }) => read(ours))),
      bare: median(rounds.map(({ bare }) => read(bare))),
      ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
    };
  });
  const rows = lines.map(({ name, ours, bare, ratio }) => [
    name,
    number(ours),
    number(bare),
    `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`,
  ]);
  return { lines, text: table([['', 'switchyard', 'bare', 'ratio (least to most)'], ...rows]) };
}

/** What only we have; medians over the rounds. */
export function ownLines(figures: readonly OurFigures[]): {
  lines: readonly { readonly name: string; readonly value: number }[];
  text: string;
} {
  const lines = OWN.map(({ name, read }) => ({ name, value: median(figures.map(read)) }));
  return { lines, text: table(lines.map(({ name, value }) => [name, number(value)])) };
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('  ')).join('\n');
}

function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1);
}
