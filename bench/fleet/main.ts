/**
 * The benchmark of fleets: thousands of watchers at one controller, and of delegates at two managers behind one Envoy.
 * What a stream costs, how long it takes until all are back after kill -9, and until all are told of a new version; beside
 * a bare server that holds the same streams and sends the same bytes, in the same run, in turns.
 *
 *     npm run bench:fleet -- --watchers 10000 --delegates 10000
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { buildGoProgram } from '../../scripts/go-programs.ts';
import { wholeNumber } from '../whole-number.ts';
import { compare, ownLines, type Round } from './figures.ts';
import type { RunOptions } from './run.ts';
import { runBare } from './run-bare.ts';
import { runOurs } from './run-ours.ts';

const USAGE =
  'usage: npm run bench:fleet -- [--watchers N] [--delegates N] [--tenants N] [--versions N] [--rounds N] [--report FILE] [--smoke]';

interface Settings extends Omit<RunOptions, 'load'> {
  readonly rounds: number;
  /** Where the figures go as JSON. */
  readonly report: string | undefined;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      watchers: { type: 'string' },
      delegates: { type: 'string' },
      tenants: { type: 'string' },
      versions: { type: 'string' },
      rounds: { type: 'string' },
      report: { type: 'string' },
      smoke: { type: 'boolean', default: false },
    },
  });
  const small = values.smoke
    ? { streams: 60, versions: 1, rounds: 1, restMs: 300 }
    : { streams: 500, versions: 3, rounds: 1, restMs: 3_000 };
  return {
    watchers: wholeNumber('watchers', values.watchers, small.streams),
    delegates: wholeNumber('delegates', values.delegates, small.streams),
    tenants: wholeNumber('tenants', values.tenants, 100),
    versions: wholeNumber('versions', values.versions, small.versions),
    rounds: wholeNumber('rounds', values.rounds, small.rounds),
    restMs: small.restMs,
    report: values.report,
  };
}

async function measure({ rounds: count, ...settings }: Settings): Promise<readonly Round[]> {
  const built = await buildGoProgram({ name: 'bench-fleet', module: 'bench/go', package: './fleet' });
  if (built.kind === 'missing') throw new Error(`the benchmark needs Go: ${built.why}`);
  const options: RunOptions = { ...settings, load: built.path };
  const rounds: Round[] = [];
  for (let number = 0; number < count; number += 1) {
    // Who comes first changes, so that a machine that grows slower favours nobody.
    const oursFirst = number % 2 === 0;
    const early = oursFirst ? undefined : await told('bare', runBare(options));
    const ours = await told('switchyard', runOurs(options));
    rounds.push({ ours, bare: early ?? (await told('bare', runBare(options))) });
    console.error(`round ${number + 1} of ${count} is done; load of the machine ${loadavg()[0]?.toFixed(1)}`);
  }
  return rounds;
}

/** A run takes minutes: what it measured is told at once, whatever becomes of the next. */
async function told<Measured>(side: string, run: Promise<Measured>): Promise<Measured> {
  const figures = await run;
  console.error(`${side}: ${JSON.stringify(figures)}`);
  return figures;
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, Linux ${release()}, Node ${process.version}`;
}

async function main(): Promise<void> {
  const settings = readSettings();
  const rounds = await measure(settings);
  const { watchers, delegates, versions } = settings;
  console.log(`${machine()}; servers, gateway and load share the processors`);
  console.log(
    `${watchers} watchers, ${delegates} delegates, ${versions} versions, medians of ${rounds.length} rounds\n`,
  );
  const comparison = compare(rounds);
  console.log(comparison.text);
  const own = ownLines(rounds.map(({ ours }) => ours));
  console.log(`\n${own.text}`);
  if (settings.report !== undefined) {
    const report = { machine: machine(), settings, comparison: comparison.lines, own: own.lines, rounds };
    await writeFile(settings.report, `${JSON.stringify(report, undefined, 2)}\n`);
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.stack : error);
  console.error(USAGE);
  process.exitCode = 2;
});
