/**
 * The benchmark of many services on Kubernetes: how long it takes from a change of an EndpointSlice until proxies have
 * acknowledged it, beside a bare watch that hears of the same changes through the same connection; what an idle replica asks
 * of the API server; and its memory.
 *
 *     npm run bench:kubernetes -- --services 200 --versions 3 --endpoints 10
 */
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { median } from '../figures.ts';
import { wholeNumber } from '../whole-number.ts';
import { type Change, measureChanges, measureIdle, memoryOf } from './measure.ts';
import { BenchWorld } from './world.ts';

const FIGURES: Readonly<Record<string, (change: Change) => number>> = {
  'written until a bare watch hears of it, ms': ({ watched }) => watched,
  'written until the first proxy has it, ms': ({ first }) => first,
  'written until the last proxy has it, ms': ({ last }) => last,
  'the last proxy behind the bare watch, ms': ({ watched, last }) => last - watched,
  'the last proxy over the bare watch, ratio': ({ watched, last }) => last / watched,
};

const { values } = parseArgs({
  options: {
    services: { type: 'string' },
    versions: { type: 'string' },
    endpoints: { type: 'string' },
    proxies: { type: 'string' },
    changes: { type: 'string' },
    idle: { type: 'string' },
    report: { type: 'string' },
  },
});
const size = {
  services: wholeNumber('services', values.services, 200),
  versions: wholeNumber('versions', values.versions, 3),
  endpoints: wholeNumber('endpoints', values.endpoints, 10),
  proxies: wholeNumber('proxies', values.proxies, 4),
};
const count = wholeNumber('changes', values.changes, 50);
const idleSeconds = wholeNumber('idle', values.idle, 60);

const world = await BenchWorld.start(size, (line) => console.log(line));
try {
  const changes = await measureChanges(world, count);
  const idle = await measureIdle(world, idleSeconds * 1_000);
  const memory = await memoryOf(world.replica.pid);
  console.log(
    `\n${size.services} services, ${size.versions} versions, ${size.endpoints} endpoints each, ${size.proxies} proxies; ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}`,
  );
  for (const [name, read] of Object.entries(FIGURES)) console.log(figureLine(name, changes.map(read)));
  console.log(
    `asked in a minute of rest: Lease ${idle.lease}, watches ${idle.watches}, else ${idle.others.length}`,
  );
  for (const other of new Set(idle.others)) console.log(`  ${other}`);
  console.log(`memory, MB: ${memory.now.toFixed(0)} now, ${memory.most.toFixed(0)} at most`);
  if (values.report !== undefined)
    await writeFile(values.report, JSON.stringify({ size, changes, idle, memory }, undefined, 2));
} finally {
  await world.stop();
}

function figureLine(name: string, numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other);
  const p95 = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
  return `${name.padEnd(46)} median ${median(numbers).toFixed(1)}, 95% ${p95.toFixed(1)}, most ${sorted.at(-1)?.toFixed(1)}`;
}
