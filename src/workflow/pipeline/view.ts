/** What an operator sees of an execution: every step with how it stands, since when, and what it waits for. Pure. */
import { type Instant, isoTime } from '../../model/instant.ts';
import { excerpt } from '../../model/text.ts';
import type { Execution } from '../../model/workflow.ts';
import type { PipelineStep } from './definition.ts';
import { readData, type StepRun, type StepState } from './state.ts';
import { type StepNode, treeOf } from './tree.ts';

/** UTF-16 units of an output that are shown. */
const EXCERPT = 200;

export interface StepView {
  /** As commands name it, `tests/unit`; empty for the pipeline itself. */
  readonly path: string;
  readonly name: string;
  readonly kind: PipelineStep['kind'];
  readonly state: StepState;
  /** How often it has begun; 0: never. */
  readonly attempt: number;
  /** Which attempt of its retry policy this is, and of how many. */
  readonly tries: number;
  readonly maxTries: number;
  /** Absent: it has never begun. */
  readonly startedAt?: Instant;
  /** Since when it stands as it stands; absent: it has never begun. */
  readonly since?: Instant;
  /** When it goes on or gives up by itself. */
  readonly until?: Instant;
  readonly endedAt?: Instant;
  /** The beginning of its output as JSON; empty: it keeps none. */
  readonly output: string;
  /** Why it failed, was skipped or was cancelled, or why the attempt before failed; may be empty. */
  readonly error: string;
  /** One sentence; empty: for nothing. */
  readonly waitsFor: string;
  readonly steps: readonly StepView[];
}

/** The tree of an execution's pipeline. Throws for the execution of another machine. */
export function pipelineView(execution: Execution): StepView {
  const { pipeline, steps } = readData(execution.data);
  return viewOf(treeOf(pipeline), (path) => (Object.hasOwn(steps, path) ? steps[path] : undefined));
}

function viewOf(node: StepNode, runOf: (path: string) => StepRun | undefined): StepView {
  const { path, step, children } = node;
  const run = runOf(path);
  const steps = children.map((child) => viewOf(child, runOf));
  const { startedAt, since, until, endedAt } = run ?? {};
  return {
    path,
    name: step.name,
    kind: step.kind,
    state: run?.state ?? 'Pending',
    attempt: run?.attempt ?? 0,
    tries: run?.tries ?? 0,
    maxTries: step.retry?.attempts ?? 1,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(endedAt === undefined ? {} : { endedAt }),
    output: outputText(run),
    error: run?.error ?? '',
    waitsFor: run === undefined ? '' : waitText(step, run, steps),
    steps,
  };
}

function outputText(run: StepRun | undefined): string {
  if (run?.droppedBytes !== undefined) return `(${run.droppedBytes} bytes, not kept)`;
  return run?.output === undefined ? '' : excerpt(run.output, EXCERPT);
}

function waitText(step: PipelineStep, run: StepRun, steps: readonly StepView[]): string {
  const until = run.until === undefined ? '' : isoTime(run.until);
  if (run.state === 'BackingOff')
    return `attempt ${run.tries + 1} of ${step.retry?.attempts ?? 1} at ${until}`;
  if (run.state !== 'Running') return '';
  switch (step.kind) {
    case 'shell':
    case 'http':
      return step.tags.length === 0
        ? 'a delegate and its result'
        : `a delegate with the tags ${step.tags.join(', ')} and its result`;
    case 'wait':
      return `the time ${until}`;
    case 'approval': {
      const who = step.approvers.length === 0 ? 'somebody' : step.approvers.join(' or ');
      return `a decision by ${who} until ${until}${run.message ? `: ${run.message}` : ''}`;
    }
    case 'sequence':
    case 'parallel':
    case 'pipeline':
      return steps
        .filter(({ state }) => state === 'Running' || state === 'BackingOff')
        .map(({ path }) => path)
        .join(', ');
  }
}
