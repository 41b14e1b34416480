/**
 * The benchmark of the workflow store on Postgres: throughput and latency beside pg-boss and graphile-worker, on the same
 * server, in the same run, in turns, under the same promise: durable, at least once, each job finished on its own, jobs of
 * another version in the same tables left alone.
 *
 *     npm run bench:queue -- --waiting 1000000 --rounds 3
 */
import { writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool } from '../../scripts/tools.ts';
import { startPostgresWith } from '../../test/support/postgres.ts';
import { median } from '../figures.ts';
import { wholeNumber } from '../whole-number.ts';
import type { OpenEngine } from './engine.ts';
import { openGraphileWorker, openGraphileWorkerInBatches } from './graphile-worker.ts';
import { openPgBoss, openPgBossInBatches, openPgBossWorkers } from './pg-boss.ts';
import { backlog, type Figures, flow, latency } from './scenarios.ts';
import { openSwitchyard } from './switchyard.ts';

const USAGE =
  'usage: npm run bench:queue -- [--jobs N] [--waiting N] [--other N] [--rounds N] [--report FILE] [--smoke]';

interface Settings {
  /** Jobs that are measured; a tenth of it, at the most 300, for latency. */
  readonly jobs: number;
  readonly waiting: number;
  readonly other: number;
  readonly rounds: number;
  readonly report: string | undefined;
}

interface Entry {
  readonly name: string;
  readonly open: OpenEngine;
  /** Where its fastest way to be woken is another one. */
  readonly openForLatency?: OpenEngine;
}

const ENTRIES: readonly Entry[] = [
  { name: 'switchyard', open: openSwitchyard },
  { name: 'pg-boss', open: openPgBoss, openForLatency: openPgBossWorkers },
  { name: 'pg-boss, completed in batches', open: openPgBossInBatches },
  { name: 'graphile-worker', open: openGraphileWorker },
  { name: 'graphile-worker, in batches', open: openGraphileWorkerInBatches },
];

/** As on a server of its own: without it, the first checkpoint falls into the measurement of whoever is on. */
const SERVER = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
  wal_level: 'replica',
};

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      jobs: { type: 'string' },
      waiting: { type: 'string' },
      other: { type: 'string' },
      rounds: { type: 'string' },
      report: { type: 'string' },
      smoke: { type: 'boolean', default: false },
    },
  });
  const small = values.smoke
    ? { jobs: 200, waiting: 400, other: 100, rounds: 1 }
    : { jobs: 10_000, waiting: 20_000, other: 1_000, rounds: 3 };
  const jobs = wholeNumber('jobs', values.jobs, small.jobs);
  const waiting = wholeNumber('waiting', values.waiting, small.waiting);
  if (waiting < jobs) throw new RangeError(`--waiting must be at least --jobs (${jobs}), not ${waiting}`);
  return {
    jobs,
    waiting,
    other: wholeNumber('other', values.other, small.other),
    rounds: wholeNumber('rounds', values.rounds, small.rounds),
    report: values.report,
  };
}

/** All figures of one engine, each scenario in a database of its own. */
async function measure(entry: Entry, settings: Settings, database: () => Promise<string>): Promise<Figures> {
  const { jobs, waiting, other } = settings;
  const [one, two, three] = [await database(), await database(), await database()];
  return {
    ...(await flow(entry.open, { connectionString: one, jobs, other })),
    ...(await backlog(entry.open, { connectionString: two, jobs, other, waiting })),
    ...(await latency(entry.openForLatency ?? entry.open, {
      connectionString: three,
      jobs: Math.min(300, jobs / 10),
      other,
    })),
  };
}

/** One figure of an engine over the rounds, beside ours of the same rounds. */
interface Line {
  readonly engine: string;
  readonly figure: string;
  readonly median: number;
  /** Ours over its. */
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number };
}

type Round = Readonly<Record<string, Figures>>;

function linesOf(rounds: readonly Round[]): readonly Line[] {
  const figures = Object.keys(rounds[0]?.['switchyard'] ?? {});
  return figures.flatMap((figure) =>
    ENTRIES.map(({ name }) => {
      const values = rounds.map((round) => round[name]?.[figure] ?? Number.NaN);
      const ratios = rounds.map(
        (round, index) => (round['switchyard']?.[figure] ?? 0) / (values[index] ?? 0),
      );
      return {
        engine: name,
        figure,
        median: median(values),
        ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
      };
    }),
  );
}

function tableOf(lines: readonly Line[]): string {
  const [first] = Object.entries(Object.groupBy(lines, ({ figure }) => figure));
  const width = Math.max(...(first?.[1] ?? []).map(({ engine }) => engine.length));
  return Object.entries(Object.groupBy(lines, ({ figure }) => figure))
    .map(([figure, of = []]) =>
      [
        figure,
        ...of.map(({ engine, median: value, ratio }) => {
          const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
          const ratios = `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`;
          return `  ${engine.padEnd(width)}  ${shown.padStart(8)}  ${ratios}`;
        }),
      ].join('\n'),
    )
    .join('\n\n');
}

async function main(): Promise<void> {
  const settings = readSettings();
  const tool = findTool('postgres');
  if (tool.kind === 'missing') throw new Error(`the benchmark needs Postgres: ${tool.why}`);
  const server = await startPostgresWith(dirname(tool.path), { settings: SERVER });
  try {
    const rounds: Round[] = [];
    for (let number = 0; number < settings.rounds; number += 1) {
      const round: Record<string, Figures> = {};
      // Who comes first changes, so that a machine that grows slower favours nobody.
      for (let turn = 0; turn < ENTRIES.length; turn += 1) {
        const entry = ENTRIES[(turn + number) % ENTRIES.length];
        if (entry === undefined) continue;
        round[entry.name] = await measure(entry, settings, () => server.database());
      }
      rounds.push(round);
      console.error(`round ${number + 1} of ${settings.rounds} is done`);
    }
    const lines = linesOf(rounds);
    const [cpu] = cpus();
    const machine = `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, Linux ${release()}, Node ${process.version}`;
    console.log(`${machine}; Postgres, its clients and their load share the processors`);
    console.log(
      `${settings.jobs} jobs, backlog of ${settings.waiting}, ${settings.other} of another version; medians of ${rounds.length} rounds; in each line the ratio of switchyard to it (least to most)\n`,
    );
    console.log(tableOf(lines));
    if (settings.report !== undefined)
      await writeFile(
        settings.report,
        `${JSON.stringify({ machine, settings, lines, rounds }, undefined, 2)}\n`,
      );
  } finally {
    await server.stop();
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 2;
});
