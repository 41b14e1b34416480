/** The demo's report: what the judge counted and the stopwatch measured, as data, as text, and as an exit status. */

import type { Delegates } from '../../test/support/system/walk.ts';
import type { Verdict } from '../../test/support/traffic/judge.ts';
import { type Latency, summarize } from '../../test/support/traffic/latency.ts';
import type { ExecutionsReport } from './executions.ts';
import { table } from './screen.ts';
import { BAD_VERSION } from './spec.ts';
import type { Retired } from './teardowns.ts';

/** What `--report FILE` writes. */
export interface DemoReport {
  readonly requests: number;
  readonly failed: number;
  /** Answered by a version that the request must not reach at that time. */
  readonly misrouted: number;
  /** Requests that named no active version, and how many requests were refused for that. */
  readonly refusedExpected: number;
  readonly refusedSeen: number;
  readonly streamsOpened: number;
  /** Ended by anything but their client. */
  readonly streamsCut: number;
  readonly tenantsMovedWrongly: number;
  readonly flips: number;
  readonly rollbacks: number;
  /** From the call to the gateway's first answer by the new primary, in milliseconds. */
  readonly flipMs: Latency;
  readonly rollbackMs: Latency;
  readonly controllerKills: number;
  readonly executions: ExecutionsReport;
  readonly parity: Parity;
  /** Versions that were taken away, in their order. */
  readonly retired: readonly Retired[];
  /** In the order in which they ended; the operator's rollback is the second end of the first. */
  readonly rollouts: readonly RolloutEnd[];
  /** Default requests that the bad version answered, of all default requests; 0 to 1. */
  readonly badVersionShare: number;
  /** Envoy's version. */
  readonly envoy: string;
  /** Prometheus's version. */
  readonly prometheus: string;
}

/** The delegates before default traffic moved. */
export interface Parity {
  /** Boxes, each with a delegate of every version. */
  readonly boxes: number;
  /** Flips and rollbacks by hand, and before how many of them every box had its delegate at the version they went to. */
  readonly moves: number;
  readonly movesAtParity: number;
}

/** How a rollout ended. */
export interface RolloutEnd {
  readonly version: string;
  /** `Succeeded`, `Aborted`, `RolledBack`. */
  readonly outcome: string;
  /** Milliseconds from the first request, or copy of one, that it answered with 500 to the decision; null: none was. */
  readonly detectMs: number | null;
  /** Milliseconds from the decision to the last gateway that serves without it; null: nothing was moved back. */
  readonly rollbackMs: number | null;
  /** Delegates registered at it, of those expected, before it got any traffic; null: it was an operator who moved it. */
  readonly delegates: Delegates | null;
  /** The measurements that decided. */
  readonly queries: readonly DecidingQuery[];
}

/** One measurement: several queries of it are joined by `; `. */
export interface DecidingQuery {
  readonly query: string;
  readonly value: number;
  /** In words: `at least 99 %`. */
  readonly limit: string;
}

/** What the story did, beside the traffic. */
export interface Deeds {
  readonly flips: number;
  readonly rollbacks: number;
  /** Measured latencies in milliseconds. */
  readonly flipTimes: readonly number[];
  readonly rollbackTimes: readonly number[];
  readonly controllerKills: number;
  readonly rollouts: readonly RolloutEnd[];
  readonly retired: readonly Retired[];
}

/** How the rollouts must end. */
const DUE_ENDS: readonly (readonly [version: string, outcomes: readonly string[]])[] = [
  ['v2', ['Succeeded']],
  ['v2', ['RolledBack']],
  [BAD_VERSION, ['Aborted', 'RolledBack']],
  ['v4', ['Succeeded']],
];
/** Versions that must be gone. */
const DUE_RETIRED: readonly string[] = ['v1', BAD_VERSION];

export function makeReport(run: {
  verdict: Verdict;
  badVersionShare: number;
  executions: ExecutionsReport;
  parity: Parity;
  deeds: Deeds;
  envoy: string;
  prometheus: string;
}): DemoReport {
  const { verdict, badVersionShare, executions, parity, deeds, envoy, prometheus } = run;
  return {
    requests: verdict.requests,
    failed: verdict.failed,
    misrouted: verdict.misrouted,
    refusedExpected: verdict.refusedExpected,
    refusedSeen: verdict.refusedSeen,
    streamsOpened: verdict.streamsOpened,
    streamsCut: verdict.streamsCut,
    tenantsMovedWrongly: verdict.tenantsMovedWrongly,
    flips: deeds.flips,
    rollbacks: deeds.rollbacks,
    flipMs: summarize(deeds.flipTimes),
    rollbackMs: summarize(deeds.rollbackTimes),
    controllerKills: deeds.controllerKills,
    executions,
    parity,
    retired: deeds.retired,
    rollouts: deeds.rollouts,
    badVersionShare,
    envoy,
    prometheus,
  };
}

/** What went wrong, one line each; empty when all is well. */
export function complaints(report: DemoReport): string[] {
  return [
    ...wrongTraffic(report),
    ...wrongExecutions(report.executions),
    ...wrongParity(report),
    ...wrongTeardowns(report.retired),
    ...wrongEnds(report.rollouts),
  ];
}

/** What the traffic of a demo met that it must not. */
export function wrongTraffic(
  traffic: Pick<
    Verdict,
    'failed' | 'misrouted' | 'streamsCut' | 'tenantsMovedWrongly' | 'refusedExpected' | 'refusedSeen'
  >,
): string[] {
  const zero = ['failed', 'misrouted', 'streamsCut', 'tenantsMovedWrongly'] as const;
  const lines = zero
    .filter((name) => traffic[name] !== 0)
    .map((name) => `${name} is ${traffic[name]}, not 0`);
  if (traffic.refusedSeen !== traffic.refusedExpected) {
    lines.push(`refusals: ${traffic.refusedExpected} were due, ${traffic.refusedSeen} were seen`);
  }
  return lines;
}

function wrongExecutions(executions: ExecutionsReport): string[] {
  const zero = ['failed', 'lost', 'appliedTwice', 'wrongVersion', 'wrongDelegate'] as const;
  const lines = zero
    .filter((name) => executions[name] !== 0)
    .map((name) => `executions.${name} is ${executions[name]}, not 0`);
  const { started, finished } = executions;
  if (started === 0 || finished !== started)
    lines.push(`${started} executions were started, ${finished} finished`);
  return lines;
}

function wrongParity({ parity: { boxes, moves, movesAtParity }, rollouts }: DemoReport): string[] {
  const early = rollouts.flatMap(({ version, outcome, delegates }) => {
    // The end that an operator's rollback gave it.
    if (outcome === 'RolledBack' && delegates === null) return [];
    if (delegates === null)
      return [`nobody knows with how many delegates ${version} got traffic; there are ${boxes}`];
    const { ready, expected } = delegates;
    return ready === boxes && expected === boxes
      ? []
      : [`${version} got traffic with ${ready} of ${expected} delegates; there are ${boxes}`];
  });
  return movesAtParity === moves
    ? early
    : [...early, `delegates were at parity before ${movesAtParity} of ${moves} flips and rollbacks`];
}

function wrongTeardowns(retired: readonly Retired[]): string[] {
  const missing = DUE_RETIRED.filter((due) => !retired.some(({ version }) => version === due));
  return [
    ...missing.map((version) => `${version} was not taken away`),
    ...retired
      .filter(({ certificate }) => certificate !== 'atomic')
      .map(({ version, certificate }) => `the certificate of ${version} is ${certificate}, not atomic`),
  ];
}

function wrongEnds(rollouts: readonly RolloutEnd[]): string[] {
  if (rollouts.length !== DUE_ENDS.length)
    return [`${DUE_ENDS.length} rollouts were to end, ${rollouts.length} did`];
  return DUE_ENDS.flatMap(([version, outcomes], index) => {
    const end = rollouts[index];
    if (end?.version === version && outcomes.includes(end.outcome)) return [];
    return [
      `the rollout of ${end?.version} ended ${end?.outcome}; due was ${version} ${outcomes.join(' or ')}`,
    ];
  });
}

/** The report for people. */
export function reportLines(report: DemoReport): string[] {
  const { executions, parity } = report;
  const measured = ({ p50, p99, max }: Latency) => `p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`;
  const rows: readonly (readonly [string, string | number])[] = [
    ['requests', report.requests],
    ['failed', report.failed],
    ['answered by a wrong version', report.misrouted],
    ['refusals due / seen', `${report.refusedExpected} / ${report.refusedSeen}`],
    ['streams opened / cut', `${report.streamsOpened} / ${report.streamsCut}`],
    ['tenants moved wrongly', report.tenantsMovedWrongly],
    ['flips / rollbacks', `${report.flips} / ${report.rollbacks}`],
    ['flip, call to gateway', measured(report.flipMs)],
    ['rollback, call to gateway', measured(report.rollbackMs)],
    ['controller killed with -9', report.controllerKills],
    ['executions started/finished', `${executions.started} / ${executions.finished}`],
    ['failed/lost/applied twice', `${executions.failed} / ${executions.lost} / ${executions.appliedTwice}`],
    ['at wrong version / delegate', `${executions.wrongVersion} / ${executions.wrongDelegate}`],
    [
      'delegates before traffic',
      report.rollouts
        .flatMap(({ version, delegates }) =>
          delegates === null ? [] : [`${version} ${delegates.ready}/${delegates.expected}`],
        )
        .join(', '),
    ],
    ['and before moves by hand', `${parity.movesAtParity} of ${parity.moves}`],
    ...report.rollouts.map(({ version, outcome, detectMs, rollbackMs }) => {
      const times = [
        ...(detectMs === null ? [] : [`noticed after ${detectMs} ms`]),
        ...(rollbackMs === null ? [] : [`back within ${rollbackMs} ms`]),
      ];
      return [`rollout of ${version}`, [outcome, ...times].join(', ')] as const;
    }),
    ...report.retired.map(
      ({ version, openWhenFenced, drainSeconds, certificate }) =>
        [
          `${version} taken away`,
          `after ${openWhenFenced} executions in ${drainSeconds} s, ${certificate}`,
        ] as const,
    ),
    ['touched by a bad version', `${(100 * report.badVersionShare).toFixed(2)} % of default requests`],
    ['Envoy', report.envoy],
    ['Prometheus', report.prometheus],
  ];
  return table(rows);
}
