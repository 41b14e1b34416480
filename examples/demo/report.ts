/** The demo's report: what the judge counted and the stopwatch measured, as data, as text, and as an exit status. */
import type { Verdict } from '../../test/support/traffic/judge.ts';
import { type Latency, summarize } from '../../test/support/traffic/latency.ts';

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
  /** Envoy's version. */
  readonly envoy: string;
}

/** What the story did, beside the traffic. */
export interface Deeds {
  readonly flips: number;
  readonly rollbacks: number;
  /** Measured latencies in milliseconds. */
  readonly flipTimes: readonly number[];
  readonly rollbackTimes: readonly number[];
  readonly controllerKills: number;
}

export function makeReport(run: { verdict: Verdict; deeds: Deeds; envoy: string }): DemoReport {
  const { verdict, deeds, envoy } = run;
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
    envoy,
  };
}

/** What went wrong, one line each; empty when all is well. */
export function complaints(report: DemoReport): string[] {
  const zero = ['failed', 'misrouted', 'streamsCut', 'tenantsMovedWrongly'] as const;
  const lines = zero.filter((name) => report[name] !== 0).map((name) => `${name} is ${report[name]}, not 0`);
  if (report.refusedSeen !== report.refusedExpected) {
    lines.push(`refusals: ${report.refusedExpected} were due, ${report.refusedSeen} were seen`);
  }
  return lines;
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
    ['Envoy', report.envoy],
  ];
  return rows.map(([label, value]) => `${label.padEnd(28)} ${value}`);
}
