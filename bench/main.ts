/**
 * The benchmark: how long a flip takes to reach every stream, what a push and a stream cost, beside go-control-plane
 * as shipped, with the same content, on the same machine, in the same run, in turns.
 *
 *     npm run bench -- --streams 1000 --flips 30 --rounds 3
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildGoProgram } from '../scripts/go-programs.ts';
import { contentOf, SHAPES, type ShapeName } from './content.ts';
import { compare, type Round, tableOf } from './figures.ts';
import { type Figures, pinned, type RunOptions, runOnce, type ServerName } from './run.ts';
import { wholeNumber } from './whole-number.ts';

const USAGE = `usage: npm run bench -- [--streams N] [--flips N] [--rounds N] [--warm N] [--shape ${Object.keys(SHAPES).join('|')}]
                       [--report FILE] [--profile FOLDER] [--smoke]`;

interface Settings {
  readonly streams: number;
  readonly flips: number;
  readonly rounds: number;
  readonly warm: number;
  readonly shape: ShapeName;
  /** Where the figures go as JSON. */
  readonly report: string | undefined;
  /** Where profiles of our server go (--cpu-prof); they slow it down. */
  readonly profile: string | undefined;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string' },
      flips: { type: 'string' },
      rounds: { type: 'string' },
      warm: { type: 'string' },
      shape: { type: 'string', default: 'small' },
      report: { type: 'string' },
      profile: { type: 'string' },
      smoke: { type: 'boolean', default: false },
    },
  });
  const small = values.smoke
    ? { streams: 50, flips: 4, rounds: 1, warm: 1 }
    : { streams: 1000, flips: 30, rounds: 3, warm: 3 };
  return {
    streams: wholeNumber('streams', values.streams, small.streams),
    flips: wholeNumber('flips', values.flips, small.flips),
    rounds: wholeNumber('rounds', values.rounds, small.rounds),
    warm: wholeNumber('warm', values.warm, small.warm),
    shape: shapeName(values.shape),
    report: values.report,
    profile: values.profile,
  };
}

function shapeName(given: string): ShapeName {
  if (given in SHAPES) return given as ShapeName;
  throw new RangeError(
    `--shape must be one of ${Object.keys(SHAPES).join(', ')}, not ${JSON.stringify(given)}`,
  );
}

async function program(name: string): Promise<string> {
  const built = await buildGoProgram({ name: `bench-${name}`, module: 'bench/go', package: `./${name}` });
  if (built.kind === 'missing') throw new Error(`the benchmark needs Go: ${built.why}`);
  return built.path;
}

async function measure(settings: Settings, scratch: string): Promise<readonly Round[]> {
  const content = contentOf(SHAPES[settings.shape]);
  const contentFile = join(scratch, 'content.json');
  await writeFile(contentFile, JSON.stringify(content.encoded));
  const programs = { peer: await program('peer'), load: await program('load') };
  const run = async (server: ServerName): Promise<Figures> => {
    const profile =
      settings.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${settings.profile}`];
    const options: RunOptions = { ...settings, server, content, contentFile, programs, nodeOptions: profile };
    return runOnce(options);
  };
  const rounds: Round[] = [];
  for (let number = 0; number < settings.rounds; number += 1) {
    // Who comes first changes, so that a machine that grows slower favours nobody.
    const oursFirst = number % 2 === 0;
    const first = await run(oursFirst ? 'switchyard' : 'go-control-plane');
    const second = await run(oursFirst ? 'go-control-plane' : 'switchyard');
    rounds.push(oursFirst ? { ours: first, peer: second } : { ours: second, peer: first });
    console.error(`round ${number + 1} of ${settings.rounds} is done`);
  }
  return rounds;
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}, Linux ${release()}, Node ${process.version}`;
}

async function main(): Promise<void> {
  const settings = readSettings();
  const scratch = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
  try {
    const rounds = await measure(settings, scratch);
    const comparisons = compare(rounds);
    const { streams, flips, shape } = settings;
    const bytes = rounds[0]?.ours.flipBytes ?? 0;
    console.log(`${machine()}; ${pinned ? 'server and load on a processor each' : 'not pinned'}`);
    console.log(
      `${streams} streams, ${flips} flips of ${bytes} bytes, shape ${shape}, medians of ${rounds.length} rounds\n`,
    );
    console.log(tableOf(comparisons));
    if (settings.report !== undefined) {
      const report = { machine: machine(), pinned, settings, comparisons, rounds };
      await writeFile(settings.report, `${JSON.stringify(report, undefined, 2)}\n`);
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 2;
});
