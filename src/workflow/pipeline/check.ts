/**
 * What a pipeline must be beyond its shape: names, bounds, and references that can be seen to lead nowhere. Other
 * pipelines that it calls are not looked into: `expand.ts` does that. A problem names the field as a document writes it.
 */
import { DEFAULT_RETRY, MAX_DEPTH, MAX_INPUTS, RANGES, SIZES } from './bounds.ts';
import { checkFacts } from './check-facts.ts';
import { referenceProblems, type Scope } from './check-references.ts';
import {
  type AddProblem,
  checkDuration,
  checkName,
  checkWhole,
  inWords,
  type PipelineProblem,
} from './check-values.ts';
import { childrenOf, type Pipeline, type PipelineStep, type RetryPolicy } from './definition.ts';

/** The faults of a pipeline by itself. */
export function checkPipeline(pipeline: Pipeline): readonly PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  const add: AddProblem = (field, message) => problems.push({ field, message });
  checkName(pipeline.name, 'pipeline', add);
  checkDuration(pipeline.timeout, RANGES.timeout, 'timeout', add);
  if (pipeline.inputs.length > MAX_INPUTS) {
    add('input', `has ${pipeline.inputs.length} elements; at most ${MAX_INPUTS} are allowed`);
  }
  for (const { name } of pipeline.inputs) checkName(name, `input.${name}`, add);
  const scope: Scope = { inputs: pipeline.inputs.map(({ name }) => name), levels: [] };
  const steps = { steps: pipeline.steps, field: 'steps', inOrder: true, scope, depth: 1 };
  const after = checkSteps(steps, add);
  if (pipeline.output !== undefined) referenceProblems(pipeline.output, 'output', after, add);
  return problems;
}

interface Siblings {
  readonly steps: readonly PipelineStep[];
  readonly field: string;
  /** Each begins when those before it have ended. */
  readonly inOrder: boolean;
  readonly scope: Scope;
  readonly depth: number;
}

/** Checks steps that stand beside each other. Answers the scope of what follows the last of them. */
function checkSteps({ steps, field, inOrder, scope, depth }: Siblings, add: AddProblem): Scope {
  const names = steps.map(({ name }) => name);
  if (depth > MAX_DEPTH) {
    add(field, `is nested ${depth} levels deep; at most ${MAX_DEPTH} are allowed`);
    return scope;
  }
  if (steps.length === 0) add(field, 'must have at least 1 element');
  if (steps.length > SIZES.steps) {
    add(field, `has ${steps.length} elements; at most ${SIZES.steps} are allowed`);
    return scope;
  }
  for (const [index, step] of steps.entries()) {
    const own = `${field}[${index}]`;
    checkName(step.name, `${own}.name`, add);
    const first = names.indexOf(step.name);
    if (first < index) {
      add(
        `${own}.name`,
        `${JSON.stringify(step.name)} is also the name of ${field}[${first}]: choose another name`,
      );
    }
    const finished = inOrder ? names.slice(0, index) : [];
    const level = { step: step.name, finished, unfinished: names.filter((name) => !finished.includes(name)) };
    checkStep({ step, field: own, scope: { ...scope, levels: [level, ...scope.levels] }, depth }, add);
  }
  return { ...scope, levels: [{ finished: names, unfinished: [] }, ...scope.levels] };
}

interface Place {
  readonly step: PipelineStep;
  readonly field: string;
  readonly scope: Scope;
  readonly depth: number;
}

function checkStep({ step, field, scope, depth }: Place, add: AddProblem): void {
  if (step.when !== undefined) referenceProblems(step.when.value, `${field}.when.value`, scope, add);
  if (step.retry !== undefined) checkRetry(step.retry, `${field}.retry`, add);
  if (step.kind === 'wait') checkDuration(step.duration, RANGES.wait, `${field}.wait`, add);
  else if (step.timeout !== undefined) checkDuration(step.timeout, RANGES.timeout, `${field}.timeout`, add);
  checkFacts(step, field, { scope, add });
  if (step.kind === 'sequence' || step.kind === 'parallel') {
    const inOrder = step.kind === 'sequence';
    checkSteps(
      { steps: childrenOf(step), field: `${field}.${step.kind}`, inOrder, scope, depth: depth + 1 },
      add,
    );
  }
}

function checkRetry(policy: RetryPolicy, field: string, add: AddProblem): void {
  const { attempts, backoff, factor, maxBackoff } = policy;
  checkWhole(attempts, RANGES.attempts, `${field}.attempts`, add);
  checkDuration(backoff, RANGES.backoff, `${field}.backoff`, add);
  checkDuration(maxBackoff, RANGES.maxBackoff, `${field}.maxBackoff`, add);
  if (!(factor >= RANGES.factor[0] && factor <= RANGES.factor[1])) {
    add(`${field}.factor`, `${factor} must be ${RANGES.factor.join(' to ')}`);
  }
  if (backoff > maxBackoff) {
    const advice = maxBackoff === DEFAULT_RETRY.maxBackoff ? 'set maxBackoff too' : 'raise it';
    add(
      `${field}.maxBackoff`,
      `is ${inWords(maxBackoff)}, less than the backoff of ${inWords(backoff)}: ${advice}`,
    );
  }
}
