/** What a customer wants to begin: a pipeline of the manager's own folder by name, or one that came with the request. */
import type { Json } from '../../../src/model/json.ts';
import { DEFAULT_PRIORITY, type Priority } from '../../../src/model/workflow.ts';
import type { Pipeline } from '../../../src/workflow/pipeline/definition.ts';
import type { PipelineLibrary } from '../../../src/workflow/pipeline/expand.ts';
import { startPipeline } from '../../../src/workflow/pipeline/start.ts';
import { parsePipelines } from '../../../src/workflow/pipeline/yaml/parse.ts';
import { ApiError, type ApiRequest, invalid } from './api.ts';

/**
 * Reads the body: YAML (`content-type: application/yaml`) whose first document is the pipeline, or JSON with `name` or
 * `pipeline` (the same YAML as text), `input` and `priority`. Throws ApiError.
 */
export function readStart(request: ApiRequest, library: PipelineLibrary) {
  const { pipeline, input, priority } = /\byaml\b/.test(request.headers['content-type'] ?? '')
    ? { pipeline: parsed(request.body, library), input: {}, priority: DEFAULT_PRIORITY }
    : fromJson(request.json(), library);
  const started = startPipeline({ pipeline, library, input });
  if (started.kind === 'Refused') throw refused('the pipeline cannot begin', started.problems);
  return { ...started.start, priority };
}

function fromJson(fields: Readonly<Record<string, unknown>>, library: PipelineLibrary) {
  const { name, pipeline: text, input = {}, priority = DEFAULT_PRIORITY, ...others } = fields;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw invalid(`${unknown}: is no field of a start; there are name, pipeline, input and priority`);
  }
  if ((name === undefined) === (text === undefined)) {
    throw invalid('name or pipeline: give one of them, a name that this manager knows or YAML as text');
  }
  return {
    pipeline: text === undefined ? known(name, library) : parsed(text, library),
    input: input as Json,
    priority: priorityOf(priority),
  };
}

function known(name: unknown, library: PipelineLibrary): Pipeline {
  const pipeline = typeof name === 'string' ? library.get(name) : undefined;
  if (pipeline !== undefined) return pipeline;
  const names = [...library.keys()].join(', ') || 'none';
  throw new ApiError(
    404,
    'NO_PIPELINE',
    `name: there is no pipeline ${JSON.stringify(name)} here; there are: ${names}`,
  );
}

function parsed(text: unknown, library: PipelineLibrary): Pipeline {
  if (typeof text !== 'string') throw invalid('pipeline: must be YAML as text');
  const { pipelines, problems } = parsePipelines({ file: 'pipeline', text }, library);
  if (problems.length > 0) throw refused('the pipeline has faults', problems);
  const [first] = pipelines;
  if (first === undefined) throw invalid('pipeline: the document is empty');
  return first;
}

function refused(what: string, problems: readonly { readonly message: string }[]): ApiError {
  const [first] = problems;
  return new ApiError(400, 'INVALID_PIPELINE', `${what}: ${first?.message ?? ''}`, { problems });
}

function priorityOf(value: unknown): Priority {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 9) return value;
  throw invalid(`priority: must be a whole number from 0 to 9, not ${JSON.stringify(value)}`);
}
