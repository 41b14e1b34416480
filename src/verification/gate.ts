/**
 * What the checks of a step add up to, worst first: one critical check that failed fails the gate at once, nothing that
 * is unknown is passed over, and only when all have ended their score decides.
 */
import type { Check, CheckState } from '../model/check.ts';
import type { CheckRun, Verdict } from '../model/measurement.ts';

export interface GateInput {
  readonly checks: readonly Check[];
  /** By the checks' names; a check without a run has not begun. */
  readonly runs: readonly CheckRun[];
  /** The score, 0 to 100, at which the gate passes. */
  readonly passScore: number;
  /** The score below which it fails. */
  readonly marginalScore: number;
}

interface Deciding {
  readonly check: Check;
  readonly run: CheckRun | undefined;
}

/** What holds a gate open, worst first, and which states of a check mean it. */
const HOLDING: readonly { readonly verdict: Verdict['state']; readonly states: readonly CheckState[] }[] = [
  { verdict: 'Error', states: ['Error'] },
  { verdict: 'Inconclusive', states: ['Inconclusive'] },
  { verdict: 'NoData', states: ['NoData'] },
  { verdict: 'Running', states: ['Running', 'Pending'] },
];

/** The verdict. Checks that are skipped at the step, or run dry, decide nothing. */
export function gateVerdict({ checks, runs, passScore, marginalScore }: GateInput): Verdict {
  const deciding: Deciding[] = checks
    .filter((check) => !check.dryRun)
    .map((check) => ({ check, run: runs.find((run) => run.check === check.name) }))
    .filter(({ run }) => run?.state !== 'Skipped');
  if (deciding.length === 0) return { state: 'Passed', because: 'no check guards this step', deciding: [] };
  const score = scoreOf(deciding);
  const scored = score === undefined ? {} : { score };
  const failed = deciding.filter(({ check, run }) => check.critical && run?.state === 'Failed');
  if (failed.length > 0) return { state: 'Failed', ...told(failed), ...scored };
  for (const { verdict, states } of HOLDING) {
    const holding = deciding.filter(({ run }) => states.includes(run?.state ?? 'Pending'));
    if (holding.length > 0) return { state: verdict, ...told(holding), ...scored };
  }
  return { ...byScore(deciding, score ?? 0, { passScore, marginalScore }), score: score ?? 0 };
}

/** The verdict when all have ended and no critical one failed. */
function byScore(
  deciding: readonly Deciding[],
  score: number,
  { passScore, marginalScore }: Pick<GateInput, 'passScore' | 'marginalScore'>,
): Omit<Verdict, 'score'> {
  const passed = deciding.filter(({ run }) => run?.state === 'Passed');
  const failed = deciding.filter(({ run }) => run?.state === 'Failed');
  if (score >= passScore && passed.length > 0) return { state: 'Passed', ...told(passed) };
  const { because, deciding: names } = told(failed);
  if (score < marginalScore) {
    return {
      state: 'Failed',
      because: `score ${score} is below ${marginalScore}: ${because}`,
      deciding: names,
    };
  }
  const short = passed.length === 0 ? 'no check passed' : `score ${score} is below ${passScore}`;
  return { state: 'Inconclusive', because: `${short}: ${because}`, deciding: names };
}

function told(which: readonly Deciding[]): Pick<Verdict, 'because' | 'deciding'> {
  return {
    because: which.map(({ check, run }) => `${check.name}: ${run?.because ?? 'not measured yet'}`).join('; '),
    deciding: which.map(({ check }) => check.name),
  };
}

/** The weighted share of the ended checks that passed, rounded to hundredths. */
function scoreOf(deciding: readonly Deciding[]): number | undefined {
  const weigh = (...states: readonly CheckState[]) =>
    deciding
      .filter(({ run }) => run !== undefined && states.includes(run.state))
      .reduce((sum, { check }) => sum + check.weight, 0);
  const ended = weigh('Passed', 'Failed');
  return ended === 0 ? undefined : Math.round((10_000 * weigh('Passed')) / ended) / 100;
}
