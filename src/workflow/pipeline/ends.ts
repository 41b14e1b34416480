/** How a step ends: it succeeds, fails and perhaps begins again later, or is taken back with all within it. */

import type { Json } from '../../model/json.ts';
import { visible } from '../../model/text.ts';
import { MAX_ERROR_LENGTH } from './bounds.ts';
import type { RetryPolicy } from './definition.ts';
import type { Draft } from './draft.ts';
import { keptOutput } from './outputs.ts';
import { hasEnded, type StepState } from './state.ts';
import { type StepNode, within } from './tree.ts';

/** The key of the task of a step's attempt. */
export function taskKey(path: string, attempt: number): string {
  return `${path}#${attempt}`;
}

/** The step came to `output`; absent: to what the steps within it came to. */
export function succeed(draft: Draft, node: StepNode, output?: Json): void {
  clearTimers(draft, node);
  settle(draft, node, 'Succeeded');
  if (output === undefined) return;
  const kept = keptOutput(draft, output);
  draft.change(node, kept);
  if (kept.droppedBytes !== undefined)
    draft.note(node.path, `its output of ${kept.droppedBytes} bytes is too large and was not kept`);
}

/**
 * The step failed. What is open within it is taken back; then it backs off where its policy has an attempt left. A failure
 * that is `final` would be the same in each attempt.
 */
export function fail(
  draft: Draft,
  node: StepNode,
  failure: { readonly error: string; readonly final: boolean },
): void {
  const error = visible(failure.error, MAX_ERROR_LENGTH);
  for (const child of node.children) cancel(draft, child, `${node.path || 'the pipeline'} failed`);
  clearTimers(draft, node);
  const { retry } = node.step;
  const tries = draft.run(node)?.tries ?? 1;
  if (retry === undefined || failure.final || tries >= retry.attempts) {
    settle(draft, node, 'Failed');
    draft.change(node, { error });
    draft.note(node.path, `failed: ${error}`);
    return;
  }
  settle(draft, node, 'BackingOff');
  draft.change(node, { error });
  draft.setTimer(node, 'backoff', backoffOf(retry, tries));
  draft.note(node.path, `attempt ${tries} of ${retry.attempts} failed and another follows: ${error}`);
}

/** Before the attempt that follows the `tries`th. */
function backoffOf({ backoff, factor, maxBackoff }: RetryPolicy, tries: number): number {
  return Math.round(Math.min(maxBackoff, backoff * factor ** (tries - 1)));
}

/** Takes back what is open of the step and within it. */
export function cancel(draft: Draft, node: StepNode, because: string): void {
  for (const open of within(node)) {
    const run = draft.run(open);
    if (run === undefined || hasEnded(run.state)) continue;
    if (run.state === 'Pending') continue;
    const { kind } = open.step;
    if (run.state === 'Running' && (kind === 'shell' || kind === 'http'))
      draft.cancelTask(taskKey(open.path, run.attempt));
    clearTimers(draft, open);
    settle(draft, open, 'Cancelled');
    draft.change(open, { error: because });
  }
}

/** Takes back the timer that is set, where there is one. */
function clearTimers(draft: Draft, node: StepNode): void {
  const run = draft.run(node);
  if (run?.until === undefined) return;
  if (run.state === 'BackingOff') draft.cancelTimer(node, 'backoff');
  else draft.cancelTimer(node, node.step.kind === 'wait' ? 'wait' : 'timeout');
  forgetTimer(draft, node);
}

/** The timer that was set has come. */
export function forgetTimer(draft: Draft, node: StepNode): void {
  const run = draft.run(node);
  if (run === undefined) return;
  const { until: _, ...rest } = run;
  draft.put(node, rest);
}

/** Puts the run into a state, without what only the state before had. */
function settle(draft: Draft, node: StepNode, state: StepState): void {
  const run = draft.run(node);
  if (run === undefined) throw new Error(`${node.path} has not begun`);
  const { message: _, error: __, ...rest } = run;
  const ended = hasEnded(state) ? { endedAt: draft.now } : {};
  draft.put(node, { ...rest, state, since: draft.now, ...ended });
}
