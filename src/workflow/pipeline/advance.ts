/**
 * Looks at the whole and does what follows from how its steps stand: begins what can begin, ends containers whose steps
 * have ended. It depends on how they stand only, never on which event came last.
 */
import { begin, calledBy } from './begin.ts';
import type { ParallelStep } from './definition.ts';
import type { Draft } from './draft.ts';
import { cancel, fail, succeed } from './ends.ts';
import { scopeWithin } from './outputs.ts';
import { hasEnded } from './state.ts';
import { evaluate } from './template.ts';
import type { StepNode } from './tree.ts';

/** Goes on with a step that runs, and with all within it. */
export function advance(draft: Draft, node: StepNode): void {
  if (draft.state(node) !== 'Running') return;
  if (node.step.kind === 'parallel') advanceParallel(draft, node, node.step);
  else if (node.step.kind === 'sequence' || node.step.kind === 'pipeline') advanceInOrder(draft, node);
}

function advanceInOrder(draft: Draft, node: StepNode): void {
  for (const child of node.children) {
    beginOrAdvance(draft, child);
    const state = draft.state(child);
    if (!hasEnded(state)) return;
    if (state !== 'Failed') continue;
    fail(draft, node, { error: errorOf(draft, child), final: false });
    return;
  }
  finish(draft, node);
}

function advanceParallel(draft: Draft, node: StepNode, step: ParallelStep): void {
  for (const child of node.children) beginOrAdvance(draft, child);
  const failed = node.children.filter((child) => draft.state(child) === 'Failed');
  const [first, ...others] = failed;
  if (first !== undefined && step.onFailure === 'CancelOthers') {
    for (const child of node.children) cancel(draft, child, `${first.path} failed`);
  }
  if (!node.children.every((child) => hasEnded(draft.state(child)))) return;
  if (first === undefined || step.onFailure === 'Continue') {
    succeed(draft, node);
    return;
  }
  const more = others.length === 0 ? '' : ` (${others.length} more of ${node.path} failed)`;
  fail(draft, node, { error: `${errorOf(draft, first)}${more}`, final: false });
}

function beginOrAdvance(draft: Draft, node: StepNode): void {
  if (draft.state(node) === 'Pending') begin(draft, node);
  advance(draft, node);
}

/** The steps within have all ended well. */
function finish(draft: Draft, node: StepNode): void {
  const output = node.step.kind === 'pipeline' ? calledBy(node.step).output : undefined;
  if (output === undefined) {
    succeed(draft, node);
    return;
  }
  const evaluated = evaluate(output, scopeWithin(draft, node));
  if (evaluated.kind === 'Fault') fail(draft, node, { error: `output: ${evaluated.message}`, final: true });
  else succeed(draft, node, evaluated.value);
}

/** Why a step failed, with the step that was the cause. */
function errorOf(draft: Draft, node: StepNode): string {
  const error = draft.run(node)?.error ?? '';
  return node.children.some((child) => draft.state(child) === 'Failed') ? error : `${node.path}: ${error}`;
}
