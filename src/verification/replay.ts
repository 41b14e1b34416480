/**
 * A stored rollout under another policy: its measurements are judged again, look by look, by other checks, and folded
 * into the verdict of each step. Nothing is measured and nothing is changed; what the other policy asks and nobody
 * measured is named.
 */
import { CHECKED_STEPS, type Check, type CheckedStep } from '../model/check.ts';
import { after, type Instant, instant } from '../model/instant.ts';
import type { CheckRun, Measurement, Verdict } from '../model/measurement.ts';
import type { ReplayedStep } from '../model/replay.ts';
import { type RolloutRecord, type StepName, stepName } from '../model/rollout.ts';
import type { VerificationSpec } from '../model/spec.ts';
import { checkRun } from './check-run.ts';
import { gateVerdict } from './gate.ts';
import { judge } from './judge.ts';

export interface ReplayInput {
  readonly rollout: RolloutRecord;
  /** Of the whole rollout, in any order. */
  readonly measurements: readonly Measurement[];
  /** The other policy. */
  readonly verification: VerificationSpec;
}

export interface Replay {
  /** The steps that were measured, in the order in which they began. */
  readonly steps: readonly ReplayedStep[];
  /** One sentence: where and when the other policy would have ended the rollout. */
  readonly message: string;
}

/** Replays. */
export function replay({ rollout, measurements, verification }: ReplayInput): Replay {
  const ordered = measurements.toSorted((a, b) => a.at - b.at);
  const groups = Map.groupBy(ordered, ({ attempt, step }) => `${attempt} ${step}`);
  const steps = [...groups.values()].flatMap((group) => replayStep(rollout, verification, group));
  return { steps, message: tell(rollout, steps) };
}

/** The kind of step that a name stands for; undefined for steps that are not checked. */
function checkedStep(name: StepName): CheckedStep | undefined {
  return CHECKED_STEPS.find((kind) => name === kind || name.startsWith(`${kind}-`));
}

function replayStep(
  rollout: RolloutRecord,
  verification: VerificationSpec,
  measurements: readonly Measurement[],
): ReplayedStep[] {
  const [first] = measurements;
  const kind = first === undefined ? undefined : checkedStep(first.step);
  if (first === undefined || kind === undefined) return [];
  const own = rollout.policy.verification;
  const isPresent = rollout.attempt === first.attempt && stepName(rollout.step) === first.step;
  const course = { kind, began: isPresent ? rollout.stepEverywhere : undefined, measurements };
  const judged = verification.checks
    .filter((check) => check.at.includes(kind))
    .map((check) => ({ check, measurements: judgeAgain(check, kind, measurements) }));
  const would = verdicts({ ...course, verification, judged });
  const decided =
    own === undefined
      ? undefined
      : verdicts({
          ...course,
          verification: own,
          judged: own.checks.map((check) => ({ check, measurements: named(measurements, check) })),
        });
  return [
    {
      step: first.step,
      attempt: first.attempt,
      decided: decided?.final ?? { state: 'Passed', because: 'no check guards this step', deciding: [] },
      wouldDecide: would.final,
      ...(would.at === undefined ? {} : { at: would.at }),
      checks: would.runs,
      unmeasured: judged.filter((each) => each.measurements.length === 0).map(({ check }) => check.name),
    },
  ];
}

function named(measurements: readonly Measurement[], { name }: Check): readonly Measurement[] {
  return measurements.filter((measurement) => measurement.check === name);
}

/** The measurements of a check with the judgements that this check would have made of them. */
function judgeAgain(check: Check, step: CheckedStep, measurements: readonly Measurement[]): Measurement[] {
  const own = named(measurements, check);
  return own.map((measurement, index) => {
    const { outcome, version, baseline } = measurement;
    const earlier = own.slice(0, index);
    const judgement = judge({
      check,
      step,
      outcome,
      earlier,
      version,
      ...(baseline === undefined ? {} : { baseline }),
    });
    return { ...measurement, judgement };
  });
}

interface Course {
  readonly verification: VerificationSpec;
  readonly kind: CheckedStep;
  /** When every proxy had the step, where the rollout still knows. */
  readonly began: Instant | undefined;
  readonly judged: readonly { readonly check: Check; readonly measurements: readonly Measurement[] }[];
  /** All measurements of the step: each is a time at which the gate was looked at. */
  readonly measurements: readonly Measurement[];
}

/** The verdict after all measurements, and when it was first reached, if it is one that ends the step's gate. */
function verdicts(course: Course): { final: Verdict; at: Instant | undefined; runs: readonly CheckRun[] } {
  const { measurements, kind, verification, began } = course;
  const windowFrom = instant(Math.min(...measurements.map(({ window }) => window.from)));
  const until = kind === 'Soak' ? after(began ?? windowFrom, verification.soak) : undefined;
  const moments = [...measurements.map(({ at }) => at), ...(until === undefined ? [] : [until])].toSorted(
    (a, b) => a - b,
  );
  const span = { windowFrom, ...(until === undefined ? {} : { until }) };
  const last = look(course, span, moments.at(-1) ?? windowFrom);
  const at = isFinal(last.final)
    ? moments.find((moment) => look(course, span, moment).final.state === last.final.state)
    : undefined;
  return { ...last, at };
}

/** The gate as it stood at a moment. */
function look(
  { verification, kind, judged }: Course,
  span: { readonly windowFrom: Instant; readonly until?: Instant },
  now: Instant,
): { final: Verdict; runs: readonly CheckRun[] } {
  const runs = judged.map(({ check, measurements }) =>
    checkRun({ check, step: kind, measurements: measurements.filter(({ at }) => at <= now), ...span, now }),
  );
  const { passScore, marginalScore } = verification;
  const checks = judged.map(({ check }) => check);
  return { final: gateVerdict({ checks, runs, passScore, marginalScore }), runs };
}

function isFinal({ state }: Verdict): boolean {
  return state === 'Passed' || state === 'Failed' || state === 'Inconclusive';
}

/**
 * The first step that the other policy would not have passed. A step that was left undecided when a person had it judged
 * afresh is told by the later attempt.
 */
function tell(rollout: RolloutRecord, steps: readonly ReplayedStep[]): string {
  if (steps.length === 0) return `no measurement of ${rollout.id} is stored, so there is nothing to judge`;
  const stopped = steps.find(({ wouldDecide, attempt }) => {
    const isRepeated = steps.some((later) => later.attempt > attempt);
    return wouldDecide.state !== 'Passed' && (isFinal(wouldDecide) || !isRepeated);
  });
  if (stopped === undefined)
    return `every step that was measured would have passed (${steps.length} of them)`;
  const { step, attempt, wouldDecide, at } = stopped;
  const where = attempt === 1 ? step : `${step} of attempt ${attempt}`;
  const when = at === undefined ? '' : ` ${seconds(at - rollout.startedAt)} after it began`;
  return `the rollout would have ${STOPPED[wouldDecide.state]} at ${where}${when}: ${wouldDecide.because}`;
}

const STOPPED: Readonly<Record<Verdict['state'], string>> = {
  Failed: 'failed',
  Inconclusive: 'paused',
  Error: 'waited, since it could not measure,',
  NoData: 'waited for data',
  Running: 'still been measuring',
  Passed: 'passed',
};

function seconds(length: number): string {
  return `${Math.round(length / 1_000).toLocaleString('en-US')} s`;
}
