/** What one condition of a check found; judging keeps the worst of a check's findings. */
import type { Judgement } from '../model/measurement.ts';

/** A judgement before the condition's words are added. */
export type Finding = Omit<Judgement, 'limit'>;

/** States from worst to best. */
const WORST_FIRST = [
  'Failed',
  'Error',
  'Inconclusive',
  'NoData',
  'Passed',
] as const satisfies Judgement['state'][];

/** The worst finding; among equals the last one, which saw the most data, with the words of all of them. */
export function worst(findings: readonly Finding[]): Finding | undefined {
  const state = WORST_FIRST.find((each) => findings.some((finding) => finding.state === each));
  const same = findings.filter((finding) => finding.state === state);
  const last = same.at(-1);
  return last === undefined ? undefined : { ...last, because: same.map((each) => each.because).join('; ') };
}
