/** What a person's decision does to an approval that waits. */
import { visible } from '../../model/text.ts';
import { MAX_ERROR_LENGTH } from './bounds.ts';
import type { Draft } from './draft.ts';
import { fail, succeed } from './ends.ts';
import type { ApprovalDecision } from './events.ts';
import { findNode, type StepNode } from './tree.ts';

/** Takes the decision, or notes why it does not count. A rejection is final for the step: asking again is no remedy. */
export function decideApproval(draft: Draft, given: ApprovalDecision): void {
  const { step: path, decision, by } = given;
  const node = findNode(draft.root, path);
  const refusal = refusalOf(draft, node, given);
  if (node === undefined || refusal !== undefined) {
    draft.note(
      path,
      visible(`${decision} by ${by} does not count: ${refusal ?? 'there is no such step'}`, MAX_ERROR_LENGTH),
    );
    return;
  }
  const comment = visible(given.comment, MAX_ERROR_LENGTH);
  if (decision === 'Approve') {
    succeed(draft, node, { decision, by: visible(by, MAX_ERROR_LENGTH), comment });
    draft.note(path, `approved by ${by}${comment === '' ? '' : `: ${comment}`}`);
  } else
    fail(draft, node, { error: `rejected by ${by}${comment === '' ? '' : `: ${comment}`}`, final: true });
}

function refusalOf(draft: Draft, node: StepNode | undefined, given: ApprovalDecision): string | undefined {
  if (node?.step.kind !== 'approval') return 'there is no approval of that name';
  const run = draft.run(node);
  if (run?.state !== 'Running') return `it is ${draft.state(node)} and waits for nobody`;
  if (given.attempt !== undefined && given.attempt !== run.attempt)
    return `it was about attempt ${given.attempt}, and attempt ${run.attempt} waits`;
  const { approvers } = node.step;
  if (approvers.length === 0 || approvers.includes(given.by)) return undefined;
  return `only ${approvers.join(', ')} may decide`;
}
