/** The words and numbers of a report, the same in text and HTML. Pure. */
import type { CheckState } from '../../model/check.ts';
import type { Measurement } from '../../model/measurement.ts';
import type { Certainty, Figure, RolloutReport, VersionTraffic } from '../../model/report.ts';
import type { TrafficResult } from '../../model/traffic.ts';
import { formatDuration } from '../duration.ts';
import { gapText } from '../views/gaps.ts';
import { countText, numberText } from '../views/numbers.ts';

export const CERTAINTY_WORDS = {
  Proved: 'proved',
  Sampled: 'sampled',
  NotMeasurable: 'not measurable',
} satisfies Record<Certainty['kind'], string>;

/** Headings of results, in the order of columns. */
export const RESULT_WORDS = {
  Success: 'ok',
  ClientError: 'client error',
  ServerError: 'server error',
  Refused: 'refused',
  Unavailable: 'unavailable',
  Cut: 'cut',
  ClientGone: 'client gone',
  Unknown: 'unknown',
} satisfies Record<TrafficResult, string>;

/** States as a sign and a word: the sign alone tells them apart without colour. */
export const STATE_SIGNS = {
  Passed: '✔',
  Failed: '✖',
  Error: '⚠',
  Inconclusive: '?',
  NoData: '∅',
  Pending: '◷',
  Running: '◌',
  Skipped: '•',
} satisfies Record<CheckState, string>;

/** A row of the list of figures. */
export interface NamedFigure {
  readonly name: string;
  readonly figure: Figure;
  /** What it counts, in a few words. */
  readonly meaning: string;
}

/** The figures in their order. */
export function figuresOf(report: RolloutReport): readonly NamedFigure[] {
  return [
    { name: 'requests', figure: report.requests, meaning: 'that ended in the window, copies left out' },
    { name: 'hurt', figure: report.impacted, meaning: 'nobody took them, or their answer broke off' },
    { name: 'cut streams', figure: report.cutStreams, meaning: 'of these: the answer broke off' },
    { name: 'retries', figure: report.retries, meaning: 'attempts beyond the first, unseen by clients' },
    { name: 'refusals', figure: report.refusals, meaning: 'pins on a version that is not active' },
  ];
}

export function figureText({ value }: Figure): string {
  return value === undefined ? '-' : countText(value);
}

/** Why figures are not proved, each reason once. */
export function doubtsOf(report: RolloutReport): readonly string[] {
  const certainties = figuresOf(report).map(({ figure }) => figure.certainty);
  if (report.latency !== undefined) certainties.push(report.latency.certainty);
  return [
    ...new Set(
      certainties.flatMap((certainty) =>
        certainty.kind === 'Proved' ? [] : [`${CERTAINTY_WORDS[certainty.kind]}: ${certainty.why}`],
      ),
    ),
  ];
}

/** Results that some row has, in their order. */
export function shownResults(rows: readonly VersionTraffic[]): readonly TrafficResult[] {
  return (Object.keys(RESULT_WORDS) as TrafficResult[]).filter((result) =>
    rows.some(({ results }) => (results[result] ?? 0) > 0),
  );
}

/** A length of time of a request: `0.62 ms`, `1,204 ms`. */
export function millisecondsText(value: number | undefined): string {
  return value === undefined ? '-' : `${numberText(value)} ms`;
}

/** One sentence on the latency; absent where it was not compared. */
export function latencyText({ latency, rollout }: RolloutReport): string | undefined {
  if (latency === undefined) return undefined;
  const { milliseconds, low, high, samples, certainty } = latency;
  const way = milliseconds < 0 ? 'faster' : 'slower';
  return (
    `${rollout.version} is ${numberText(Math.abs(milliseconds))} ms ${way} than ${rollout.baseline} at the median ` +
    `(95 % interval of the shift: ${numberText(low)} to ${numberText(high)} ms; ` +
    `${countText(samples.candidate)} and ${countText(samples.baseline)} default requests; ${CERTAINTY_WORDS[certainty.kind]})`
  );
}

/** The window: `2026-11-23 12:00:00Z to 12:12:05Z (12m5s)`. */
export function windowText({ window: { from, to } }: RolloutReport): string {
  const [begun, ended] = [timeText(from), timeText(to)];
  const end = ended.slice(0, 10) === begun.slice(0, 10) ? ended.slice(11) : ended;
  return `${begun} to ${end} (${formatDuration(to - from)})`;
}

/** For how long clients were led to different versions at one time, a sentence each. */
export function besideTexts({ mixedFor, rollout, knownSince }: RolloutReport): readonly string[] {
  const routes =
    mixedFor === undefined
      ? []
      : [`Proxies had old and new routes side by side for at most ${numberText(mixedFor)} ms.`];
  const gaps = (rollout.primaryServiceGaps ?? []).map(
    (gap) => `Clients without a proxy: ${gapText(gap)}; connections that were open stay where they are.`,
  );
  const missing =
    knownSince === undefined
      ? []
      : [
          `Decisions and measurements before ${timeText(knownSince)} are missing: another replica led then, and its log has them.`,
        ];
  return [...missing, ...routes, ...gaps];
}

/** `2026-11-23 12:00:00Z`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `12:00:00`. */
export function clockText(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}

/** How checks ended: the last measurement of each check in each step of each attempt, in order. */
export function lastMeasurements({ measurements }: RolloutReport): readonly Measurement[] {
  const last = new Map<string, Measurement>();
  for (const measurement of measurements) {
    last.set(`${measurement.attempt} ${measurement.step} ${measurement.check}`, measurement);
  }
  return [...last.values()];
}

/** Value with its unit left to the limit's words: `99.82`. */
export function valueText({ judgement: { value } }: Measurement): string {
  return value === undefined ? '-' : numberText(value);
}

/** Versions that default requests reached, the baseline and the candidate first. */
export function defaultVersions({ rollout, timeline }: RolloutReport): readonly string[] {
  const seen = new Set<string>(timeline.flatMap(({ requests }) => Object.keys(requests)));
  const first = [rollout.baseline, rollout.version].filter((version) => seen.has(version));
  return [...new Set([...first, ...[...seen].toSorted()])];
}
