/** The report of the demo on Kubernetes: what the judge counted, how the rollouts ended and who led, and what of it is wrong. */
import type { Verdict } from '../../test/support/traffic/judge.ts';
import { wrongTraffic } from '../demo/report.ts';
import { table } from '../demo/screen.ts';

/** How a rollout ended. */
export interface End {
  readonly version: string;
  readonly outcome: string;
  readonly because: string;
}

/** A replica that led, and since when in the demo, in seconds. */
export interface Led {
  readonly replica: string;
  readonly since: number;
}

/** What `--report FILE` writes. */
export interface KubernetesReport extends Omit<Verdict, 'faults'> {
  readonly rollouts: readonly End[];
  /** In their order; another one each time that the leader was lost. */
  readonly led: readonly Led[];
  readonly leadersKilled: number;
  readonly envoy: string;
}

/** How the rollouts must end. */
const DUE: readonly (readonly [version: string, outcome: string])[] = [
  ['v2', 'Succeeded'],
  ['v3', 'Aborted'],
  ['v4', 'Succeeded'],
  ['v4', 'RolledBack'],
];

/** What went wrong, one line each; empty when all is well. */
export function complaints(report: KubernetesReport): string[] {
  const { rollouts, led, leadersKilled } = report;
  const ends = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([version, outcome]) => `${version} ${outcome}`).join(', ');
  const seen = ends(rollouts.map(({ version, outcome }) => [version, outcome]));
  return [
    ...wrongTraffic(report),
    ...(report.requests === 0 ? ['nobody sent a request'] : []),
    ...(seen === ends(DUE) ? [] : [`rollouts: due were ${ends(DUE)}; seen were ${seen}`]),
    ...(new Set(led.map(({ replica }) => replica)).size > leadersKilled
      ? []
      : [`${leadersKilled} leaders were killed, and ${led.length} led`]),
  ];
}

/** The report for people. */
export function reportLines(report: KubernetesReport): string[] {
  return table([
    ['requests', report.requests],
    ['failed', report.failed],
    ['answered by a wrong version', report.misrouted],
    ['refusals due / seen', `${report.refusedExpected} / ${report.refusedSeen}`],
    ['streams opened / cut', `${report.streamsOpened} / ${report.streamsCut}`],
    ['tenants moved wrongly', report.tenantsMovedWrongly],
    ...report.rollouts.map(({ version, outcome }) => [`rollout of ${version}`, outcome] as const),
    ['leaders killed with -9', report.leadersKilled],
    ...report.led.map(({ replica, since }) => ['led', `${replica}, since ${since.toFixed(1)} s`] as const),
    ['Envoy', report.envoy],
  ]);
}
