/** What a manager gives to its store to begin an execution of a pipeline, or why there can be none. */
import type { Milliseconds } from '../../model/instant.ts';
import type { Json } from '../../model/json.ts';
import { jsonBytes, MAX_INPUT_BYTES } from './bounds.ts';
import type { PipelineProblem } from './check-values.ts';
import type { Pipeline } from './definition.ts';
import { expandPipeline, inputsInWords, type PipelineLibrary } from './expand.ts';
import { PIPELINE_MACHINE, toJson } from './state.ts';

/** `start` has the fields of a `NewExecution` that the pipeline decides. Its input is in the data. */
export type PipelineStart =
  | {
      readonly kind: 'Ready';
      readonly start: {
        readonly machine: string;
        readonly name: string;
        readonly data: Json;
        readonly input: Json;
        readonly timeout: Milliseconds;
      };
    }
  | { readonly kind: 'Refused'; readonly problems: readonly PipelineProblem[] };

/** An execution of this pipeline: everything that it calls is put into its definition, and its input is completed. */
export function startPipeline(request: {
  readonly pipeline: Pipeline;
  /** The pipelines that it may call by name; absent: none. */
  readonly library?: PipelineLibrary;
  /** A mapping of its inputs; absent: empty. */
  readonly input?: Json;
}): PipelineStart {
  const expansion = expandPipeline(request.pipeline, request.library);
  if (expansion.kind === 'Refused') return expansion;
  const { pipeline } = expansion;
  const completed = completeInput(pipeline, request.input ?? {});
  if (completed.kind === 'Refused') return completed;
  const start = {
    machine: PIPELINE_MACHINE,
    name: pipeline.name,
    data: toJson({ format: 1, pipeline, input: completed.input, steps: {} }),
    input: null,
    timeout: pipeline.timeout,
  };
  return { kind: 'Ready', start };
}

type CompletedInput =
  | { readonly kind: 'Complete'; readonly input: Readonly<Record<string, Json>> }
  | { readonly kind: 'Refused'; readonly problems: readonly PipelineProblem[] };

/** The input with the defaults of what was not given. */
function completeInput(pipeline: Pipeline, given: Json): CompletedInput {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    return {
      kind: 'Refused',
      problems: [{ field: 'input', message: 'must be a mapping of inputs to values' }],
    };
  }
  const values = given as Readonly<Record<string, Json>>;
  const known = pipeline.inputs.map(({ name }) => name);
  const problems = Object.keys(values)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      field: `input.${name.slice(0, 80)}`,
      message: `is no input of "${pipeline.name}": ${inputsInWords(known)}`,
    }));
  const entries: [string, Json][] = [];
  for (const { name, default: otherwise } of pipeline.inputs) {
    const value = Object.hasOwn(values, name) ? values[name] : otherwise;
    if (value === undefined)
      problems.push({ field: `input.${name}`, message: `is needed by "${pipeline.name}"` });
    else entries.push([name, value]);
  }
  const input = Object.fromEntries(entries);
  const bytes = jsonBytes(input);
  if (bytes > MAX_INPUT_BYTES) {
    const message = `has ${bytes} bytes as JSON; at most ${MAX_INPUT_BYTES} are allowed`;
    problems.push({ field: 'input', message });
  }
  return problems.length === 0 ? { kind: 'Complete', input } : { kind: 'Refused', problems };
}
