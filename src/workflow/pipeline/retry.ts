/** How an execution that failed goes on: from the steps that did not end well; what succeeded is not done again. */
import { calledBy, forget, setLimit } from './begin.ts';
import type { Draft } from './draft.ts';
import type { StepNode } from './tree.ts';

/** Takes the execution up again. Its store gives it its whole time anew. */
export function goOn(draft: Draft, by: string): void {
  takeUp(draft, draft.root);
  draft.note('', `taken up again by ${by === '' ? 'somebody' : by}`);
}

function takeUp(draft: Draft, node: StepNode): void {
  const run = draft.run(node);
  if (run === undefined || (run.state !== 'Failed' && run.state !== 'Cancelled')) return;
  const { step } = node;
  const hasBegunWithin = node.children.some((child) => draft.run(child) !== undefined);
  const hasInput = step.kind !== 'pipeline' || node.parent === undefined || run.input !== undefined;
  if (!hasBegunWithin || !hasInput) {
    // The pipeline itself never stands alone: it begins again with its first step.
    forget(draft, node);
    if (node.parent === undefined) beginAgain(draft, node);
    return;
  }
  beginAgain(draft, node);
  if (step.kind === 'sequence' || step.kind === 'parallel') setLimit(draft, node, step.timeout);
  if (step.kind === 'pipeline' && node.parent !== undefined)
    setLimit(draft, node, step.timeout ?? calledBy(step).timeout);
  for (const child of node.children) takeUp(draft, child);
}

/** Another attempt that keeps what succeeded within. */
function beginAgain(draft: Draft, node: StepNode): void {
  const run = draft.run(node);
  if (run === undefined) return;
  const { attempt, startedAt, input } = run;
  const kept = input === undefined ? {} : { input };
  const again = { state: 'Running', attempt: attempt + 1, tries: 1, startedAt, since: draft.now } as const;
  draft.put(node, { ...again, ...kept });
}
