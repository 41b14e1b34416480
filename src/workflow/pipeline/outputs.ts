/** What steps came to, and what references stand for when a step begins. */
import type { Json } from '../../model/json.ts';
import { jsonBytes, MAX_KEPT_BYTES, MAX_OUTPUT_BYTES, MAX_TASK_BYTES } from './bounds.ts';
import type { Draft } from './draft.ts';
import type { StepRun } from './state.ts';
import { type Evaluated, type Lookup, type Reference, valueAt } from './template.ts';
import type { StepNode } from './tree.ts';

/** The fields of a run that keep an output: itself, or how large it was where it is too large. */
export function keptOutput(draft: Draft, output: Json): Pick<StepRun, 'output' | 'droppedBytes'> {
  const bytes = jsonBytes(output);
  return bytes <= MAX_OUTPUT_BYTES && bytes <= freeBytes(draft) ? { output } : { droppedBytes: bytes };
}

/** What may still be kept in the state of the execution. */
export function freeBytes(draft: Draft): number {
  let kept = 0;
  for (const { output, input } of draft.runs()) {
    if (output !== undefined) kept += jsonBytes(output);
    if (input !== undefined) kept += jsonBytes(input);
  }
  return MAX_KEPT_BYTES - kept;
}

/** The output of a step that has ended: null where it did not succeed. */
export function outputOf(draft: Draft, node: StepNode): Evaluated {
  const run = draft.run(node);
  if (run?.state !== 'Succeeded') return { kind: 'Value', value: null };
  if (run.droppedBytes !== undefined) {
    const message = `the output of ${node.path || 'the pipeline'} has ${run.droppedBytes} bytes, which is too large to be kept (${MAX_OUTPUT_BYTES} for a step, ${MAX_KEPT_BYTES} for all)`;
    return { kind: 'Fault', message };
  }
  if (run.output !== undefined) return { kind: 'Value', value: run.output };
  const last = node.children.at(-1);
  if (last === undefined) return { kind: 'Value', value: null };
  return node.step.kind === 'parallel' ? outputsByName(draft, node.children) : outputOf(draft, last);
}

function outputsByName(draft: Draft, nodes: readonly StepNode[]): Evaluated {
  const entries: [string, Json][] = [];
  for (const node of nodes) {
    const output = outputOf(draft, node);
    if (output.kind === 'Fault') return output;
    entries.push([node.step.name, output.value]);
  }
  return { kind: 'Value', value: Object.fromEntries(entries) };
}

/** What references of a step stand for. Together they may stand for as many bytes as a task may have. */
export function scopeOf(draft: Draft, node: StepNode): Lookup {
  return bounded((reference) => resolve(draft, node.parent ?? node, reference));
}

/** What references of a pipeline's own output stand for. */
export function scopeWithin(draft: Draft, pipeline: StepNode): Lookup {
  return bounded((reference) => resolve(draft, pipeline, reference));
}

function bounded(lookup: Lookup): Lookup {
  let bytes = 0;
  return (reference) => {
    const found = lookup(reference);
    if (found.kind === 'Fault') return found;
    bytes += jsonBytes(found.value);
    if (bytes <= MAX_TASK_BYTES) return found;
    return { kind: 'Fault', message: `its references stand for more than ${MAX_TASK_BYTES} bytes` };
  };
}

/** `around`: the container whose steps can be referred to first, then those around it, up to its pipeline. */
function resolve(draft: Draft, around: StepNode, reference: Reference): Evaluated {
  if (reference.root === 'execution') return executionFact(draft, reference.name);
  for (let level: StepNode | undefined = around; level !== undefined; level = level.parent) {
    if (reference.root === 'steps') {
      const node = level.children.find(({ step }) => step.name === reference.name);
      if (node !== undefined) return ofStep(draft, node, reference);
    }
    if (level.step.kind === 'pipeline') return ofInput(draft, level, reference);
  }
  return nothing(reference);
}

function ofStep(draft: Draft, node: StepNode, reference: Reference): Evaluated {
  const [field, ...path] = reference.path;
  const isBranching = node.step.kind === 'parallel' && draft.state(node) === 'Succeeded';
  const branch = isBranching ? node.children.find(({ step }) => step.name === field) : undefined;
  // One branch is asked for: what became of the outputs of the others does not matter.
  if (branch !== undefined) return ofStep(draft, branch, { ...reference, path });
  const output = outputOf(draft, node);
  return output.kind === 'Fault' ? output : valueAt(output.value, reference);
}

function ofInput(draft: Draft, pipeline: StepNode, reference: Reference): Evaluated {
  if (reference.root !== 'input') return nothing(reference);
  const inputs = pipeline.parent === undefined ? draft.data.input : (draft.run(pipeline)?.input ?? {});
  const value = Object.hasOwn(inputs, reference.name) ? inputs[reference.name] : undefined;
  return value === undefined ? nothing(reference) : valueAt(value, reference);
}

function executionFact({ execution }: Draft, name: string): Evaluated {
  const { id, tenant, version } = execution;
  const facts: Readonly<Record<string, string>> = { id, tenant, version, name: execution.name };
  return { kind: 'Value', value: facts[name] ?? null };
}

function nothing({ text }: Reference): Evaluated {
  return { kind: 'Fault', message: `\${${text}} stands for nothing` };
}
