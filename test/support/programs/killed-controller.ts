/**
 * The real controller, which kills itself with SIGKILL at a chosen point: before or after a commit or an append of
 * measurements, which are all the moments between which it cannot be told apart from outside. Beside its data folder it
 * reads `kill-at` (a run and a point of it; 0 only counts) before each point, so that one process serves many runs, and
 * writes `journal`, a line for each point and each table that it publishes.
 */
import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { Controller } from '../../../src/controller/controller.ts';
import type { Store } from '../../../src/ports/store.ts';
import { type JournalLine, readKillAt } from '../system/kill-journal.ts';

const dataDir = process.argv.find((text) => text.startsWith('--data-dir='))?.slice('--data-dir='.length);
if (dataDir === undefined) throw new Error('--data-dir=FOLDER is missing: the journal is kept beside it');
const folder = dirname(dataDir);

let counted = { run: 0, points: 0 };

function write(line: JournalLine): void {
  appendFileSync(join(folder, 'journal'), `${JSON.stringify(line)}\n`);
}

function point(what: string): void {
  const wanted = readKillAt(folder);
  if (wanted === undefined) return;
  if (counted.run !== wanted.run) counted = { run: wanted.run, points: 0 };
  counted.points += 1;
  write({ kind: 'point', number: counted.points, what });
  if (counted.points === wanted.point) process.kill(process.pid, 'SIGKILL');
}

async function between<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  point(`before ${what}`);
  const result = await act();
  point(`after ${what}`);
  return result;
}

function deadly(store: Store): Store {
  return {
    ...store,
    commit: (commit) => {
      const [record] = commit.services ?? [];
      if (record === undefined) return store.commit(commit);
      const versions = record.versions.map(({ name, state }) => `${name} ${state}`).join(', ');
      const { state = 'no', step } = record.rollout ?? {};
      return between(`a commit: ${state} rollout at ${step?.kind ?? 'no step'}; ${versions}`, () =>
        store.commit(commit),
      );
    },
    appendMeasurements: (measurements) =>
      between(`a measurement at ${measurements.map(({ step }) => step).join(', ')}`, () =>
        store.appendMeasurements(measurements),
      ),
  };
}

const open = Controller.open.bind(Controller);
Controller.open = (options) => {
  const { publisher } = options;
  const publish = publisher.publish.bind(publisher);
  publisher.publish = (publication) => {
    write({ kind: 'table', text: JSON.stringify(publication.table) });
    publish(publication);
  };
  return open({ ...options, store: deadly(options.store) });
};
await import('../../../src/main.ts');
