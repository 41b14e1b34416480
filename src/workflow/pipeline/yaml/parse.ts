/**
 * The text of a YAML file in, pipelines out, or every fault with its place. A file may hold several documents, each one
 * pipeline; they may call each other, and those of a library.
 */
import type { DocumentProblem } from '../../../model/problem.ts';
import type { Findings } from '../../../spec/findings.ts';
import { readDocuments, type SourceDocument, type SourceFile } from '../../../spec/source.ts';
import { DEFAULTS } from '../bounds.ts';
import { checkPipeline } from '../check.ts';
import type { PipelineProblem } from '../check-values.ts';
import type { Pipeline, PipelineInput } from '../definition.ts';
import { expandPipeline, type PipelineLibrary } from '../expand.ts';
import { NodeReader } from './nodes.ts';
import { readSteps } from './read-step.ts';

/** The pipelines of a file, in their order, each with all that it calls in its place; none where there are problems. */
export interface ParsedPipelines {
  readonly pipelines: readonly Pipeline[];
  readonly problems: readonly DocumentProblem[];
}

/** `library`: pipelines that may be called beside those of the file, which go first. */
export function parsePipelines(source: SourceFile, library: PipelineLibrary = new Map()): ParsedPipelines {
  const { documents, problems: syntax } = readDocuments(source);
  const read = documents.map((document) => readPipeline(document));
  addDuplicates(read);
  const broken = [...syntax, ...read.flatMap(({ findings }) => findings.problems)];
  if (broken.length > 0) return { pipelines: [], problems: broken };

  const whole = read.flatMap(({ pipeline, findings }) =>
    pipeline === undefined ? [] : [{ pipeline, findings }],
  );
  const known = new Map([...library, ...whole.map(({ pipeline }) => [pipeline.name, pipeline] as const)]);
  const expanded = whole.flatMap(({ pipeline, findings }) => {
    const expansion = expandPipeline(pipeline, known);
    if (expansion.kind === 'Expanded') return [expansion.pipeline];
    addAll(findings, expansion.problems);
    return [];
  });
  const problems = read.flatMap(({ findings }) => findings.problems);
  return { pipelines: problems.length === 0 ? expanded : [], problems };
}

interface ReadDocument {
  readonly pipeline: Pipeline | undefined;
  readonly findings: Findings;
}

function readPipeline(document: SourceDocument): ReadDocument {
  const reader = new NodeReader(document);
  const { findings } = reader;
  const fields = reader.fields(document.root, '', [
    'pipeline',
    'description',
    'timeout',
    'input',
    'steps',
    'output',
  ]);
  if (fields === undefined) return { pipeline: undefined, findings };
  const name = fields.required('pipeline', 'its name', (...at) => reader.text(...at));
  fields.optional('description', (...at) => reader.text(...at));
  const timeout = fields.optional('timeout', (...at) => reader.duration(...at)) ?? DEFAULTS.pipelineTimeout;
  const inputs = fields.optional('input', (...at) => readInputs(reader, ...at)) ?? [];
  const steps = fields.required('steps', 'a list of steps', (...at) => readSteps(reader, ...at));
  const output = fields.optional('output', (...at) => reader.json(...at));
  if (findings.problems.length > 0 || name === undefined || steps === undefined)
    return { pipeline: undefined, findings };
  const pipeline = { name, timeout, inputs, steps, ...(output === undefined ? {} : { output }) };
  addAll(findings, checkPipeline(pipeline));
  return { pipeline, findings };
}

function readInputs(
  reader: NodeReader,
  node: Parameters<NodeReader['json']>[0],
  path: string,
): readonly PipelineInput[] | undefined {
  const inputs = reader.record(node, path, (value, own) => {
    const fields = reader.fields(value, own, ['default', 'description']);
    fields?.optional('description', (...at) => reader.text(...at));
    const otherwise = fields?.optional('default', (...at) => reader.json(...at));
    return otherwise === undefined ? {} : { default: otherwise };
  });
  return inputs && Object.entries(inputs).map(([name, facts]) => ({ name, ...facts }));
}

/** Two documents of a file must not have one name. */
function addDuplicates(read: readonly ReadDocument[]): void {
  const first = new Map<string, Findings>();
  for (const { pipeline, findings } of read) {
    if (pipeline === undefined) continue;
    const earlier = first.get(pipeline.name);
    if (earlier === undefined) first.set(pipeline.name, findings);
    else {
      const { line } = earlier.position('pipeline');
      findings.add(
        'pipeline',
        `"${pipeline.name}" is also the name of the pipeline in line ${line}: choose another`,
      );
    }
  }
}

function addAll(findings: Findings, problems: readonly PipelineProblem[]): void {
  for (const { field, message } of problems) findings.add(field, message);
}
