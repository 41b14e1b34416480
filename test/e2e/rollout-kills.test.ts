/**
 * kill -9 between every pair of actions of real rollouts, one that succeeds and one that is aborted: the controller
 * dies before and after each commit and each stored measurement, is started again, and the rollout ends as it does
 * when nobody disturbs it. Default and pinned traffic and streams go on all the time. A few points are drawn by the
 * seed; all of them with SWITCHYARD_FULL=1.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { RoutingTable, ServiceRoutes } from '../../src/model/table.ts';
import { freePort } from '../support/free-port.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { full, sample } from '../support/seed.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { type Course, KILLED_CONTROLLER, rollOut } from '../support/system/killed-rollouts.ts';
import { type Load, steady } from '../support/system/load.ts';
import { type RunningManager, type Site, useSite } from '../support/system/site.ts';
import type { Stage } from '../support/traffic/history.ts';

const SERVICE = 'manager';
/** Alternately primary, and both reachable by a pin at all times. */
const GOOD = ['v1', 'v2'] as const;
const BAD = 'v3';
const TIME_LIMIT_MS = full() ? 1_500_000 : 300_000;
/** A run may have fewer points than the one that was counted; the point is tried again then. */
const TRIES = 3;

let load: Load;
let gatewayPort = 0;
let primary = 'v1';
/** When requests may meet the bad version, in the time of the traffic's records. */
const badTimes: { from: number; to: number }[] = [];

const theSite = useSite(async (opened) => {
  await opened.start([]);
  gatewayPort = await freePort();
  const gateway = await opened.gateway({ name: 'gw' });
  const prometheus = await startPrometheus({
    jobs: [{ job: 'envoy', targets: [gateway.admin.replace('http://', '')], path: '/stats/prometheus' }],
    scrapeInterval: 500,
  });
  opened.defer(() => prometheus.stop());
  const managers = new Map<string, RunningManager>();
  for (const version of [...GOOD, BAD]) {
    const failPercent = version === BAD ? 20 : 0;
    const faults = { failPercent, delayMs: 0, failFor: 'Everyone' } as const;
    managers.set(version, await opened.manager(version, `${version}-1`, faults));
  }
  await opened.apply(document(managers, prometheus.url));
  await opened.inSync('gw');
}, KILLED_CONTROLLER);
let site: Site;
beforeEach(() => {
  site = theSite();
});

function document(managers: ReadonlyMap<string, RunningManager>, prometheusUrl: string): ServiceDocument {
  const versions = [...managers].map(([name, { address }]) => ({ name, addresses: [address] }));
  const errors = {
    name: 'errors',
    builtin: { metric: 'SuccessRate' },
    limit: { min: 99 },
    at: ['Shift', 'Soak'],
    interval: '1.5s',
    count: 1,
  };
  return {
    name: SERVICE,
    version: primary,
    listeners: [{ name: 'gateway', port: gatewayPort }],
    runtime: { endpoints: { versions } },
    more: {
      retention: { keep: 3, max: 4 },
      traffic: { steps: [50, 100], stepDuration: '0s' },
      verification: {
        prometheus: { url: prometheusUrl, scrapeInterval: '0.5s' },
        soak: '2s',
        checks: [errors],
      },
    },
  };
}

function startLoad(pins: readonly string[]): Promise<Load> {
  return site.load({
    address: { host: '127.0.0.1', port: gatewayPort },
    requestsPerSecond: 100,
    first: steady(primary, pins),
    streamPins: pins,
  });
}

/** A course in the words of roles, so that rollouts of different versions can be compared. */
interface Run extends Course {
  /** The distinct tables in their order, with kill or without. */
  readonly routes: readonly unknown[];
}

/** Rolls the other good version out, or the bad one, under traffic whose history is told. */
async function run(kind: 'good' | 'bad', killAt: number, active: readonly string[] = GOOD): Promise<Run> {
  const from = primary;
  const version = kind === 'bad' ? BAD : from === 'v1' ? 'v2' : 'v1';
  const begunAt = performance.now();
  const onTheWay: Stage = { from, to: version, weight: 50, active };
  load.begin(onTheWay);
  // Nobody outside knows when a bad version is left, so both are legal until it surely was.
  const after = load.begin(kind === 'bad' ? steady(from, active) : { ...onTheWay, weight: 100 });
  const course = await rollOut(site, { service: SERVICE, version, killAt });
  await site.inSync('gw');
  const endedAt = await load.inForce();
  after.converged(endedAt);
  if (kind === 'bad') badTimes.push({ from: begunAt, to: endedAt });
  primary = course.outcome.primary;
  const roleOf = (name: string): string =>
    name === from ? 'baseline' : name === version ? 'candidate' : 'another';
  return { ...course, outcome: outcomeOf(course, roleOf), routes: routesOf(course, roleOf) };
}

type RoleOf = (version: string) => string;

function outcomeOf({ outcome }: Course, roleOf: RoleOf): Course['outcome'] {
  const versions = Object.entries(outcome.versions).map(([name, what]) => [roleOf(name), what]);
  return { ...outcome, primary: roleOf(outcome.primary), versions: Object.fromEntries(versions) };
}

/** What the tables say of default traffic and of each version; what differs by version or run alone is left out. */
function routesOf({ tables, tablesAfter }: Course, roleOf: RoleOf): readonly unknown[] {
  const texts = [...tables, ...tablesAfter].map((text) => {
    const { services } = JSON.parse(text) as RoutingTable;
    return JSON.stringify(services.map((routes) => routesInRoles(routes, roleOf)));
  });
  return texts.filter((text, index) => text !== texts[index - 1]).map((text): unknown => JSON.parse(text));
}

function routesInRoles({ versions, defaultRoute: route, holds }: ServiceRoutes, roleOf: RoleOf): unknown {
  const reached = versions.map(
    ({ version, access, endpoints }) => `${roleOf(version)} ${access} ${endpoints.length}`,
  );
  const byDefault =
    route.kind === 'Split'
      ? `${roleOf(route.primary)} and ${route.weight} percent ${roleOf(route.candidate)}`
      : route.kind === 'Single'
        ? roleOf(route.version)
        : route.kind;
  return { reached: reached.toSorted(), byDefault, holds };
}

/** A rollout whose controller dies at a point; where the run was over before the point came, another one. */
async function killedRun(kind: 'good' | 'bad', point: number): Promise<Run> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    const course = await run(kind, point);
    if (course.killedAt !== undefined) return course;
  }
  throw new Error(`point ${point} did not come in ${TRIES} ${kind} rollouts`);
}

/** What must hold after a kill at any point. */
function expectSameEnd(course: Run, undisturbed: Run): void {
  const { killedAt, outcome, routes, tables, tablesAfter, orderedAgain } = course;
  // Only what was not yet committed may be forgotten: the order itself, before its commit.
  const mustBeOrderedAgain = killedAt?.number === 1;
  expect({ killedAt, outcome, routes, orderedAgain }).toEqual({
    killedAt,
    outcome: undisturbed.outcome,
    routes: undisturbed.routes,
    orderedAgain: mustBeOrderedAgain,
  });
  // Where nothing was committed since, what proxies are told first is the very table that they had.
  if (killedAt?.what.startsWith('after a commit') === true) return;
  expect({ killedAt, table: tablesAfter[0] }).toEqual({ killedAt, table: tables.at(-1) });
}

async function expectSameEndAtEach(kind: 'good' | 'bad', undisturbed: Run, drawn: number): Promise<void> {
  const all = undisturbed.points.map((_, index) => index + 1);
  const chosen = sample(all, drawn);
  console.log(`${all.length} points in a ${kind} rollout, killed at ${chosen.join(', ')}`);
  for (const point of chosen) expectSameEnd(await killedRun(kind, point), undisturbed);
}

describe('a controller that is killed with -9 between two actions of a rollout', () => {
  it('lets a good version become primary all the same', { timeout: TIME_LIMIT_MS }, async () => {
    // The first rollout brings v2 up; from then on both can be named, and each rollout has the same points.
    load = await startLoad(['v1']);
    await run('good', 0, ['v1']);
    await load.stop();
    load = await startLoad(GOOD);
    const undisturbed = await run('good', 0);
    expect(undisturbed.outcome).toMatchObject({ state: 'SUCCEEDED', primary: 'candidate' });
    await expectSameEndAtEach('good', undisturbed, 2);
  });

  it('takes a bad version off the traffic all the same', { timeout: TIME_LIMIT_MS }, async () => {
    // The first one brings v3 up; later ones bring it back.
    await run('bad', 0);
    const undisturbed = await run('bad', 0);
    expect(undisturbed.outcome).toMatchObject({ state: 'ABORTED', primary: 'baseline' });
    await expectSameEndAtEach('bad', undisturbed, 1);
  });

  it('hurts no request and no stream, apart from what the bad version answers itself', async () => {
    const { evidence, ...verdict } = await load.stop();
    const failures = evidence.exchanges.filter(({ outcome }) => outcome.kind === 'failed');
    const undue = failures.filter(
      ({ asked, outcome, startedAt, endedAt }) =>
        asked.pin !== undefined ||
        outcome.kind !== 'failed' ||
        !/^status 500: .*"version":\s*"v3"/.test(outcome.reason) ||
        !badTimes.some(({ from, to }) => from <= endedAt && startedAt <= to),
    );
    expect(undue).toEqual([]);
    expect(failures.length).toBeGreaterThan(0);
    expect(verdict).toMatchObject({
      failed: failures.length,
      misrouted: 0,
      streamsCut: 0,
      tenantsMovedWrongly: 0,
    });
    expect(verdict.refusedSeen).toBe(verdict.refusedExpected);
  });
});
