/**
 * The state machine of pipelines: an event in, a step out. Events that come late, twice or for nothing are noted and
 * change nothing.
 */

import type { Milliseconds } from '../../model/instant.ts';
import type { Step } from '../../model/step.ts';
import { visible } from '../../model/text.ts';
import type { Machine, StepInput } from '../machine.ts';
import { advance } from './advance.ts';
import { begin } from './begin.ts';
import { MAX_ERROR_LENGTH } from './bounds.ts';
import { inWords } from './check-values.ts';
import { decideApproval } from './decide-approval.ts';
import { Draft } from './draft.ts';
import { cancel, fail, forgetTimer, succeed, taskKey } from './ends.ts';
import { type PipelineEvent, readEvent } from './events.ts';
import { outputOf } from './outputs.ts';
import { goOn } from './retry.ts';
import { hasEnded, PIPELINE_MACHINE } from './state.ts';
import { findNode } from './tree.ts';

export const pipelineMachine: Machine = { name: PIPELINE_MACHINE, step };

type Of<Kind extends PipelineEvent['kind']> = Extract<PipelineEvent, { kind: Kind }>;

function step({ execution, event: queued, now }: StepInput): Step {
  const draft = new Draft(execution, now);
  const event = readEvent(queued.kind, queued.payload);
  const isOver = execution.state !== 'Running';
  if (isOver && !(event.kind === 'Retry' && execution.state === 'Failed')) {
    draft.note('', `${queued.kind} came after the end and changes nothing`);
    return draft.step();
  }
  take(draft, event);
  advance(draft, draft.root);
  return draft.step(endOf(draft));
}

function take(draft: Draft, event: PipelineEvent): void {
  const { root } = draft;
  switch (event.kind) {
    case 'Start':
      if (draft.run(root) === undefined) begin(draft, root);
      else draft.note('', 'Start came again and changes nothing');
      return;
    case 'TaskFinished':
      takeResult(draft, event);
      return;
    case 'Timer':
      takeTimer(draft, event);
      return;
    case 'Approve':
      decideApproval(draft, event);
      return;
    case 'Timeout':
      haveBegun(draft);
      fail(draft, root, { error: overdue(draft.data.pipeline.timeout), final: true });
      return;
    case 'Cancel':
      haveBegun(draft);
      cancel(draft, root, orderText('cancelled', event));
      return;
    case 'Retry':
      if (draft.execution.state === 'Failed') goOn(draft, event.by);
      else draft.note('', 'Retry is for an execution that has failed; this one runs');
      return;
    case 'Unknown':
      draft.note('', `ignored: ${event.because}`);
  }
}

/** An execution may end before its first event came. */
function haveBegun(draft: Draft): void {
  if (draft.run(draft.root) === undefined) begin(draft, draft.root);
}

function takeResult(draft: Draft, { key, outcome }: Of<'TaskFinished'>): void {
  const path = key.slice(0, key.lastIndexOf('#'));
  const node = findNode(draft.root, path);
  const hasTask = node?.step.kind === 'shell' || node?.step.kind === 'http';
  const run = node && draft.run(node);
  if (!hasTask || run?.state !== 'Running' || key !== taskKey(path, run.attempt)) {
    draft.note(key, 'a result came that nobody waits for, and changes nothing');
  } else if (outcome.kind === 'Succeeded') succeed(draft, node, outcome.result);
  else fail(draft, node, { error: outcome.error || 'the delegate gave no reason', final: false });
}

function takeTimer(draft: Draft, { step: path, attempt, purpose }: Of<'Timer'>): void {
  const node = findNode(draft.root, path);
  const run = node && draft.run(node);
  const wanted = purpose === 'backoff' ? 'BackingOff' : 'Running';
  const isWait = node?.step.kind === 'wait';
  const isAwaited = run?.state === wanted && run.attempt === attempt && run.until !== undefined;
  if (
    node === undefined ||
    run === undefined ||
    !isAwaited ||
    (purpose === 'wait') !== (isWait && wanted === 'Running')
  ) {
    draft.note(
      path,
      `a timer (${purpose} of attempt ${attempt}) came that nobody waits for, and changes nothing`,
    );
    return;
  }
  const limit = (run.until ?? draft.now) - run.since;
  forgetTimer(draft, node);
  if (purpose === 'backoff') begin(draft, node, run.tries + 1);
  else if (purpose === 'wait') succeed(draft, node);
  else if (node.step.kind === 'approval')
    fail(draft, node, { error: `nobody decided within ${inWords(limit)}`, final: false });
  else fail(draft, node, { error: overdue(limit), final: false });
}

function overdue(limit: Milliseconds): string {
  return `it took longer than ${inWords(limit)}`;
}

function endOf(draft: Draft): Step['end'] | undefined {
  const run = draft.run(draft.root);
  if (run === undefined || !hasEnded(run.state)) return undefined;
  if (run.state === 'Cancelled') return { state: 'Cancelled', error: run.error ?? '' };
  if (run.state === 'Failed') return { state: 'Failed', error: run.error ?? '' };
  const output = outputOf(draft, draft.root);
  if (output.kind === 'Value') return { state: 'Succeeded', result: output.value, error: '' };
  draft.note('', `it has no result: ${output.message}`);
  return { state: 'Succeeded', error: '' };
}

function orderText(what: string, { by, reason }: Of<'Cancel' | 'Retry'>): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return visible(`${what} by ${by === '' ? 'somebody' : by}${why}`, MAX_ERROR_LENGTH);
}
