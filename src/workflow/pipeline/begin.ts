/** How a step begins: whether at all, with what task, timer or steps within. */

import type { Json } from '../../model/json.ts';
import { visible } from '../../model/text.ts';
import { jsonBytes, MAX_ERROR_LENGTH } from './bounds.ts';
import type { ApprovalStep, Condition, Pipeline, PipelineStep, SubPipelineStep } from './definition.ts';
import type { Draft } from './draft.ts';
import { fail, taskKey } from './ends.ts';
import { freeBytes, scopeOf } from './outputs.ts';
import { payloadOf } from './payloads.ts';
import { evaluate, evaluateAsText, evaluateFields } from './template.ts';
import { type StepNode, within } from './tree.ts';

/**
 * Begins a step for the first time, or once more: with `tries` it is that attempt of its retry policy. Steps within begin
 * with the next look at the whole (`advance.ts`).
 */
export function begin(draft: Draft, node: StepNode, tries = 1): void {
  const { now } = draft;
  const before = draft.run(node);
  const startedAt = tries === 1 ? now : (before?.startedAt ?? now);
  const attempt = (before?.attempt ?? 0) + 1;
  draft.put(node, { state: 'Running', attempt, tries, startedAt, since: now });
  for (const inner of within(node)) if (inner !== node) forget(draft, inner);
  if (tries === 1 && node.step.when !== undefined && !holds(draft, node, node.step.when)) return;
  beginKind(draft, node);
}

/** What it did in an earlier attempt of the steps around it does not count any more, but for its number. */
export function forget(draft: Draft, node: StepNode): void {
  const run = draft.run(node);
  if (run === undefined) return;
  const { attempt, startedAt } = run;
  draft.put(node, { state: 'Pending', attempt, tries: 0, startedAt, since: draft.now });
}

/** False where the step does not go on: it was skipped, or its condition cannot be told. */
function holds(draft: Draft, node: StepNode, { kind, value, operand }: Condition): boolean {
  const found = evaluate(value, scopeOf(draft, node));
  if (found.kind === 'Fault') {
    fail(draft, node, { error: `when: ${found.message}`, final: true });
    return false;
  }
  if (isSame(found.value, operand) === (kind === 'Equals')) return true;
  const relation = kind === 'Equals' ? 'not ' : '';
  const because = visible(
    `${JSON.stringify(value)} is ${relation}${JSON.stringify(operand)}`,
    MAX_ERROR_LENGTH,
  );
  draft.change(node, { state: 'Skipped', endedAt: draft.now, error: because });
  draft.note(node.path, `skipped: ${because}`);
  return false;
}

/** Whether two values say the same; the order of fields says nothing. */
function isSame(left: Json, right: Json): boolean {
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object')
    return left === right;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const [ours, theirs] = [left, right] as readonly Readonly<Record<string, Json>>[];
  if (ours === undefined || theirs === undefined) return false;
  const keys = Object.keys(ours);
  return (
    keys.length === Object.keys(theirs).length &&
    keys.every((key) => Object.hasOwn(theirs, key) && isSame(ours[key] ?? null, theirs[key] ?? null))
  );
}

function beginKind(draft: Draft, node: StepNode): void {
  const { step } = node;
  switch (step.kind) {
    case 'shell':
    case 'http':
      beginTask(draft, node, step);
      return;
    case 'wait':
      draft.setTimer(node, 'wait', step.duration);
      return;
    case 'approval':
      beginApproval(draft, node, step);
      return;
    case 'sequence':
    case 'parallel':
      setLimit(draft, node, step.timeout);
      return;
    case 'pipeline':
      beginCall(draft, node, step);
  }
}

function beginTask(
  draft: Draft,
  node: StepNode,
  step: Extract<PipelineStep, { kind: 'shell' | 'http' }>,
): void {
  const payload = payloadOf(step, scopeOf(draft, node));
  if (payload.kind === 'Fault') {
    fail(draft, node, { error: payload.message, final: true });
    return;
  }
  const { kind, tags, timeout, maxAttempts } = step;
  const key = taskKey(node.path, draft.run(node)?.attempt ?? 1);
  draft.addTask({ key, kind, payload: payload.value, tags, timeout, maxAttempts });
}

function beginApproval(draft: Draft, node: StepNode, step: ApprovalStep): void {
  const message = evaluateAsText(step.message, scopeOf(draft, node));
  if (message.kind === 'Fault') {
    fail(draft, node, { error: `message: ${message.message}`, final: true });
    return;
  }
  draft.change(node, { message: visible(message.value, MAX_ERROR_LENGTH) });
  draft.setTimer(node, 'timeout', step.timeout);
  draft.note(node.path, 'waits for a decision');
}

function beginCall(draft: Draft, node: StepNode, step: SubPipelineStep): void {
  if (node.parent === undefined) return;
  const given = evaluateFields(step.input, scopeOf(draft, node));
  if (given.kind === 'Fault') {
    fail(draft, node, { error: `input: ${given.message}`, final: true });
    return;
  }
  const called = calledBy(step);
  const defaults = called.inputs.flatMap(({ name, default: value }) =>
    value === undefined ? [] : [[name, value]],
  );
  const input = { ...(Object.fromEntries(defaults) as Readonly<Record<string, Json>>), ...given.value };
  const bytes = jsonBytes(input);
  if (bytes > freeBytes(draft)) {
    const error = `its input has ${bytes} bytes, and ${freeBytes(draft)} are left of what an execution can keep`;
    fail(draft, node, { error, final: true });
    return;
  }
  draft.change(node, { input });
  setLimit(draft, node, step.timeout ?? called.timeout);
}

/** The pipeline in the place of a call. */
export function calledBy(step: SubPipelineStep): Pipeline {
  if (typeof step.pipeline === 'string')
    throw new Error(`the pipeline "${step.pipeline}" was not put into the place of its call "${step.name}"`);
  return step.pipeline;
}

/** Sets the timer of a container that may take this long. */
export function setLimit(draft: Draft, node: StepNode, timeout: number | undefined): void {
  if (timeout !== undefined) draft.setTimer(node, 'timeout', timeout);
}
