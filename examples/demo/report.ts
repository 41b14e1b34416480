/** The demo's report: what the judge counted and the stopwatch measured, as data, as text, and as an exit status. */
import type { Verdict } from '../../test/support/traffic/judge.ts';
import { type Latency, summarize } from '../../test/support/traffic/latency.ts';
import { BAD_VERSION } from './spec.ts';

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
  /** In the order in which they ended; the operator's rollback is the second end of the first. */
  readonly rollouts: readonly RolloutEnd[];
  /** Default requests that the bad version answered, of all default requests; 0 to 1. */
  readonly badVersionShare: number;
  /** Envoy's version. */
  readonly envoy: string;
  /** Prometheus's version. */
  readonly prometheus: string;
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
}

/** How the rollouts must end. */
const DUE_ENDS: readonly (readonly [version: string, outcomes: readonly string[]])[] = [
  ['v2', ['Succeeded']],
  ['v2', ['RolledBack']],
  [BAD_VERSION, ['Aborted', 'RolledBack']],
];

export function makeReport(run: {
  verdict: Verdict;
  badVersionShare: number;
  deeds: Deeds;
  envoy: string;
  prometheus: string;
}): DemoReport {
  const { verdict, badVersionShare, deeds, envoy, prometheus } = run;
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
    rollouts: deeds.rollouts,
    badVersionShare,
    envoy,
    prometheus,
  };
}

/** What went wrong, one line each; empty when all is well. */
export function complaints(report: DemoReport): string[] {
  const zero = ['failed', 'misrouted', 'streamsCut', 'tenantsMovedWrongly'] as const;
  const lines = zero.filter((name) => report[name] !== 0).map((name) => `${name} is ${report[name]}, not 0`);
  if (report.refusedSeen !== report.refusedExpected) {
    lines.push(`refusals: ${report.refusedExpected} were due, ${report.refusedSeen} were seen`);
  }
  return [...lines, ...wrongEnds(report.rollouts)];
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
    ...report.rollouts.map(({ version, outcome, detectMs, rollbackMs }) => {
      const times = [
        ...(detectMs === null ? [] : [`noticed after ${detectMs} ms`]),
        ...(rollbackMs === null ? [] : [`back within ${rollbackMs} ms`]),
      ];
      return [`rollout of ${version}`, [outcome, ...times].join(', ')] as const;
    }),
    ['touched by a bad version', `${(100 * report.badVersionShare).toFixed(2)} % of default requests`],
    ['Envoy', report.envoy],
    ['Prometheus', report.prometheus],
  ];
  return rows.map(([label, value]) => `${label.padEnd(28)} ${value}`);
}
