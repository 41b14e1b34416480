/** The steps of a pipeline as a tree of nodes with paths, the pipeline itself at the root. */
import { childrenOf, type Pipeline, type PipelineStep } from './definition.ts';

export interface StepNode {
  /** `tests/unit`; empty for the pipeline itself. */
  readonly path: string;
  readonly step: PipelineStep;
  /** Absent for the pipeline itself. */
  readonly parent?: StepNode;
  readonly children: readonly StepNode[];
}

/** The tree of a pipeline whose calls are expanded. */
export function treeOf(pipeline: Pipeline): StepNode {
  const { name } = pipeline;
  return nodeOf({ kind: 'pipeline', name, pipeline, input: {} }, '', undefined);
}

function nodeOf(step: PipelineStep, path: string, parent: StepNode | undefined): StepNode {
  const children: StepNode[] = [];
  const node: StepNode = { path, step, children, ...(parent === undefined ? {} : { parent }) };
  for (const child of childrenOf(step)) {
    children.push(nodeOf(child, path === '' ? child.name : `${path}/${child.name}`, node));
  }
  return node;
}

/** The node and all below it, itself first. */
export function* within(node: StepNode): Generator<StepNode> {
  yield node;
  for (const child of node.children) yield* within(child);
}

/** The node at a path. */
export function findNode(root: StepNode, path: string): StepNode | undefined {
  return path === '' ? root : path.split('/').reduce(childNamed, root as StepNode | undefined);
}

function childNamed(node: StepNode | undefined, name: string): StepNode | undefined {
  return node?.children.find(({ step }) => step.name === name);
}
