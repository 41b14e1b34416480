/** From what single instances answered to the answer of a probe: it is good only where all of them are. */
import type { ProbeAnswer } from '../../ports/prober.ts';
import { inOneLine, reasonsOf, type Tried, valuesOf } from '../instance-round.ts';

/** What one instance answered. An instance that did not answer rejects instead. */
export interface InstanceAnswer {
  readonly isGood: boolean;
  /** For example `manager-v2-1 at 127.0.0.1:9001: GET /healthz answered 500`. */
  readonly detail: string;
}

/** Words of an answer are shown up to this length. */
const EXCERPT = 200;

/** An answer that is bad weighs more than one that did not come: it was measured. */
export function verdictOf(tried: readonly Tried<InstanceAnswer>[]): ProbeAnswer {
  if (tried.length === 0) return { kind: 'error', reason: 'no instance of the version is ready to be asked' };
  const answers = valuesOf(tried);
  const bad = answers.filter(({ isGood }) => !isGood).map(({ detail }) => detail);
  if (bad.length > 0) return { kind: 'refused', detail: inOneLine(bad) };
  const unanswered = reasonsOf(tried);
  if (unanswered.length > 0) return { kind: 'error', reason: inOneLine(unanswered) };
  return { kind: 'approved', detail: inOneLine(answers.map(({ detail }) => detail)) };
}

/** The beginning of what somebody wrote, in one line, after a colon; empty where they wrote nothing. */
export function excerpt(body: string): string {
  const line = body.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return '';
  return `: ${line.length > EXCERPT ? `${line.slice(0, EXCERPT)}…` : line}`;
}
