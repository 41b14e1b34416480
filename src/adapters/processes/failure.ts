/** What becomes of an instance that went down: its end is noted, and what comes next leaves, with its reason. */
import { retryDelay } from '../../model/backoff.ts';
import type { Milliseconds } from '../../model/instant.ts';
import { countedEnds, isSpent } from './budget.ts';
import { hasEnded } from './identity.ts';
import type { KeptRecord } from './kept-record.ts';
import { describeFailure, describeGivenUp } from './reasons.ts';
import type { InstanceTools } from './start.ts';

export type AfterFailure =
  | { readonly kind: 'Restart'; readonly delay: Milliseconds; readonly reason: string }
  | { readonly kind: 'GivenUp'; readonly reason: string };

export async function noteFailure(failed: {
  readonly record: KeptRecord;
  readonly tools: InstanceTools;
  readonly because: string;
  /** Bytes in the log before the start that failed. */
  readonly logStart: number;
}): Promise<AfterFailure> {
  const { record, tools, because, logStart } = failed;
  const { id, spec, failures: before, ends = [], process } = record.current;
  const failures = before + 1;
  // Whoever comes after us must not take the same end for another one.
  const isOver = process.kind === 'Running' && hasEnded(process.identity);
  record.set({ failures, wasReady: false, ...(isOver && { process: { kind: 'None' } }) });
  const lastLine = await tools.logs.lastLine(id, logStart);
  if (tools.budget !== undefined) {
    const counted = countedEnds(ends, tools.clock.now(), tools.budget);
    if (isSpent(counted, tools.budget)) {
      const reason = describeGivenUp({ because, ...tools.budget, lastLine });
      await record.note({ ends: counted, givenUp: reason });
      return { kind: 'GivenUp', reason };
    }
    await record.note({ ends: counted });
  }
  const delay = retryDelay({ ...spec.restartBackoff, failures, random: tools.random() });
  return { kind: 'Restart', delay, reason: describeFailure({ because, failures, delay, lastLine }) };
}
