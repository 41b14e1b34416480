/**
 * Rollouts of one service that its controller may be killed in: begins one, kills the controller at a point of it,
 * starts it again, and tells how the rollout ended. What is published and which points there were is read from the
 * controller's journal. Whoever calls this judges.
 */

import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { ROLLOUT_STATE, VERSION_STATE } from '../../../src/admin/enums.ts';
import { VersionMarkKind, type VersionState } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import { RolloutState } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import { eventually } from '../eventually.ts';
import type { Program } from './controller.ts';
import { type JournalLine, killAtFile } from './kill-journal.ts';
import type { Site } from './site.ts';

/** The controller that kills itself. */
export const KILLED_CONTROLLER: Program = {
  command: execPath,
  arguments: [
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, '..', 'programs', 'killed-controller.ts'),
  ],
};

/** Where a rollout has led; two that ended alike have equal ones. */
export interface Outcome {
  readonly state: string;
  readonly reason: string;
  readonly primary: string;
  /** What became of the candidate and the baseline: state and mark. */
  readonly versions: Readonly<Record<string, string>>;
}

/** A point that a controller died at: its number in the run, and what was about to happen or had happened. */
export interface KilledAt {
  readonly number: number;
  readonly what: string;
}

/** One rollout, from the call to its end. */
export interface Course {
  readonly outcome: Outcome;
  /** Where the controller died; undefined: it was not killed. */
  readonly killedAt: KilledAt | undefined;
  /** What each point was, in order, until the kill or the end. */
  readonly points: readonly string[];
  /** The tables that were published before the controller was killed, the one before the rollout first. */
  readonly tables: readonly string[];
  /** Those that were published after it was started again; empty where it was not killed. */
  readonly tablesAfter: readonly string[];
  /** True: nothing was stored of it, so that it had to be ordered again. */
  readonly orderedAgain: boolean;
}

const ENDS = ['Succeeded', 'Aborted', 'RolledBack', 'Failed'] as const;
const MOVING = new Set<VersionState>([
  VERSION_STATE.Deploying,
  VERSION_STATE.Registering,
  VERSION_STATE.Ramping,
  VERSION_STATE.Draining,
]);
const WITHIN_MS = 60_000;

let runs = 0;

/** Rolls a version out; the controller dies at this point (0: at none) and is started again. */
export async function rollOut(
  site: Site,
  { service, version, killAt }: { service: string; version: string; killAt: number },
): Promise<Course> {
  runs += 1;
  const before = await rolloutId(site, service);
  const earlier = await journal(site);
  const lastTable = earlier.findLast(({ kind }) => kind === 'table');
  await writeFile(killAtFile(site.folder), JSON.stringify({ run: runs, point: killAt }));
  await order(site, service, version);
  const cameTo = await eventually(
    async () => {
      if (site.controller.pid === undefined) return 'killed';
      return (await isOver(site, service, before)) ? 'ended' : undefined;
    },
    { what: `the end of the rollout of ${version}, or of its controller`, within: WITHIN_MS, every: 100 },
  );
  const isKilled = cameTo === 'killed';
  const untilThen = (await journal(site)).length;
  let orderedAgain = false;
  if (isKilled) {
    await rm(killAtFile(site.folder));
    await site.controller.start([]);
    orderedAgain = (await rolloutId(site, service)) === before;
    if (orderedAgain) await order(site, service, version);
    await eventually(() => isOver(site, service, before), {
      what: `the end of the rollout of ${version} after a kill`,
      within: WITHIN_MS,
      every: 100,
    });
  }
  const outcome = await outcomeOf(site, service);
  await rm(killAtFile(site.folder), { force: true });
  const lines = (await journal(site)).slice(earlier.length);
  const first = isKilled ? lines.slice(0, untilThen - earlier.length) : lines;
  const points = first.flatMap((line) => (line.kind === 'point' ? [line.what] : []));
  return {
    outcome,
    killedAt: isKilled ? { number: killAt, what: points.at(-1) ?? '' } : undefined,
    points,
    tables: tablesOf(lastTable === undefined ? first : [lastTable, ...first]),
    tablesAfter: tablesOf(lines.slice(first.length)),
    orderedAgain,
  };
}

function tablesOf(lines: readonly JournalLine[]): readonly string[] {
  return lines.flatMap((line) => (line.kind === 'table' ? [line.text] : []));
}

/** Orders the rollout. A call that the controller's death has broken off is no error. */
async function order(site: Site, service: string, version: string): Promise<void> {
  const change = { service, actor: 'test', reason: 'test', dryRun: false };
  try {
    await site.call('deploy', { change, version, urgent: false });
  } catch (error) {
    const isDead = () => site.controller.pid === undefined;
    await eventually(isDead, { what: 'the end of the controller' }).catch(() => {
      throw error;
    });
  }
}

async function rolloutId(site: Site, service: string): Promise<string> {
  const { rollouts } = await site.call('listRollouts', { service, limit: 1 });
  return rollouts[0]?.id ?? '';
}

/** Whether the new rollout has ended and versions have come to rest: until then there are points to die at. */
async function isOver(site: Site, service: string, before: string): Promise<boolean> {
  const { view } = await site.call('getRollout', { service });
  const rollout = view?.rollout;
  if (rollout === undefined || rollout.id === before) return false;
  if (!ENDS.some((state) => ROLLOUT_STATE[state] === rollout.state)) return false;
  const { versions } = await site.service(service);
  return versions.every(({ state }) => !MOVING.has(state));
}

/** Where the rollout has led, now that it is over. */
async function outcomeOf(site: Site, service: string): Promise<Outcome> {
  const { view } = await site.call('getRollout', { service });
  const rollout = view?.rollout;
  const { traffic, versions } = await site.service(service);
  const involved = versions.filter(({ name }) => name === rollout?.version || name === rollout?.baseline);
  const entries = involved.map(({ name, state, mark }) => [
    name,
    `${nameOf(VERSION_STATE, state)} ${VersionMarkKind[mark?.kind ?? 0]}`,
  ]);
  return {
    state: RolloutState[rollout?.state ?? 0] ?? '',
    reason: rollout?.stateReason ?? '',
    primary: traffic?.kind.case === 'steady' ? traffic.kind.value.primary : `${traffic?.kind.case}`,
    versions: Object.fromEntries(entries),
  };
}

function nameOf(words: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(words).find(([, number]) => number === value)?.[0] ?? String(value);
}

async function journal(site: Site): Promise<readonly JournalLine[]> {
  const text = await readFile(join(site.folder, 'journal'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine);
}
