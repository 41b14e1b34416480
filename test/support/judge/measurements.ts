/** Measurements for tests of judging: one look with what it measured, judged or not, at a time of its own. */
import type { Check, CheckedStep } from '../../../src/model/check.ts';
import { instant } from '../../../src/model/instant.ts';
import type {
  Judgement,
  MeasuredData,
  MeasuredOutcome,
  Measurement,
} from '../../../src/model/measurement.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { rolloutId, type StepName } from '../../../src/model/rollout.ts';
import { judge } from '../../../src/verification/judge.ts';

export const CANDIDATE = versionName('v2');
export const BASELINE = versionName('v1');
const SERVICE = serviceName('manager');

export const data = (measured: MeasuredData): MeasuredOutcome => ({ kind: 'Data', data: measured });
export const noData: MeasuredOutcome = { kind: 'NoData', reason: 'the series is stale' };
export const failure: MeasuredOutcome = { kind: 'Error', reason: 'Prometheus does not answer' };

/** Successes among requests, of the candidate and, if given, of the baseline. */
export function successes(
  candidate: readonly [number, number],
  baseline?: readonly [number, number],
): MeasuredOutcome {
  const of = ([events, total]: readonly [number, number]) => ({ events, total });
  return data({
    kind: 'ratio',
    candidate: of(candidate),
    ...(baseline === undefined ? {} : { baseline: of(baseline) }),
  });
}

/** A judgement of this state, where its words do not matter. */
export function judgement(state: Judgement['state']): Judgement {
  return { state, limit: 'at least 99 %', samples: { candidate: 100 }, because: `it ${state}` };
}

/** A measurement that ended at `at` milliseconds, of a check of the given name in a step. */
export function aMeasurement(replaced: {
  readonly at: number;
  readonly outcome?: MeasuredOutcome;
  readonly judgement?: Judgement;
  readonly check?: string;
  readonly step?: string;
  readonly from?: number;
}): Measurement {
  const outcome = replaced.outcome ?? successes([100, 100]);
  return {
    rollout: rolloutId(SERVICE, CANDIDATE, 1),
    attempt: 1,
    step: (replaced.step ?? 'Verify') as StepName,
    check: replaced.check ?? 'errors',
    service: SERVICE,
    version: CANDIDATE,
    baseline: BASELINE,
    at: instant(replaced.at),
    window: {
      from: instant(replaced.from ?? Math.max(0, replaced.at - 10_000)),
      to: instant(replaced.at),
    },
    queries: [],
    outcome,
    judgement: replaced.judgement ?? judgement('Passed'),
  };
}

/** A course of looks at one check, each judged with those before, `interval` apart, the first after one interval. */
export function judged(
  check: Check,
  outcomes: readonly MeasuredOutcome[],
  { step = 'Verify', name = step }: { step?: CheckedStep; name?: string } = {},
): Measurement[] {
  const made: Measurement[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const said = judge({
      check,
      step,
      outcome,
      earlier: made,
      version: CANDIDATE,
      baseline: BASELINE,
    });
    const at = (index + 1) * check.interval;
    const from = at - check.interval;
    made.push(aMeasurement({ at, from, outcome, judgement: said, check: check.name, step: name }));
  }
  return made;
}
