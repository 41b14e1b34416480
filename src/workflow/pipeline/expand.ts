/**
 * Puts every pipeline that is called into the place of its call, so that an execution carries its whole definition for
 * life. Finds what can only be seen then: unknown names, circles, missing inputs, and the size of the whole.
 */
import { jsonBytes, MAX_DEFINITION_BYTES, MAX_DEPTH, MAX_STEPS } from './bounds.ts';
import { checkPipeline } from './check.ts';
import type { PipelineProblem } from './check-values.ts';
import type { Pipeline, PipelineStep, SubPipelineStep } from './definition.ts';

/** The pipelines that may be called by name. */
export type PipelineLibrary = ReadonlyMap<string, Pipeline>;

export type Expansion =
  | { readonly kind: 'Expanded'; readonly pipeline: Pipeline }
  | { readonly kind: 'Refused'; readonly problems: readonly PipelineProblem[] };

/** The pipeline with all that it calls, checked. */
export function expandPipeline(pipeline: Pipeline, library: PipelineLibrary = new Map()): Expansion {
  const expander = new Expander(library);
  const expanded = expander.pipeline(pipeline, { prefix: '', depth: 0, callers: [] });
  const { problems } = expander;
  if (problems.length === 0) {
    const bytes = jsonBytes(expanded);
    if (bytes > MAX_DEFINITION_BYTES) {
      const message = `has ${bytes} bytes as JSON with all that it calls; at most ${MAX_DEFINITION_BYTES} are allowed`;
      problems.push({ field: '', message });
    }
  }
  return problems.length === 0 ? { kind: 'Expanded', pipeline: expanded } : { kind: 'Refused', problems };
}

interface Place {
  /** The field before the fields of this pipeline. */
  readonly prefix: string;
  readonly depth: number;
  /** Who calls it, the outermost first. */
  readonly callers: readonly Pipeline[];
}

class Expander {
  readonly #library: PipelineLibrary;
  #steps = 0;
  readonly problems: PipelineProblem[] = [];

  constructor(library: PipelineLibrary) {
    this.#library = library;
  }

  pipeline(pipeline: Pipeline, place: Place): Pipeline {
    const own = checkPipeline(pipeline).map(({ field, message }) => ({
      field: place.prefix === '' || field === '' ? place.prefix + field : `${place.prefix}.${field}`,
      message,
    }));
    this.problems.push(...own);
    if (own.length > 0) return pipeline;
    const field = place.prefix === '' ? 'steps' : `${place.prefix}.steps`;
    const inside = { ...place, depth: place.depth + 1, callers: [...place.callers, pipeline] };
    return { ...pipeline, steps: this.#siblings(pipeline.steps, field, inside) };
  }

  #siblings(steps: readonly PipelineStep[], field: string, place: Place): readonly PipelineStep[] {
    if (place.depth > MAX_DEPTH) {
      this.#add(
        field,
        `is nested ${place.depth} levels deep with all that is called; at most ${MAX_DEPTH} are allowed`,
      );
      return steps;
    }
    return steps.map((step, index) => this.#step(step, `${field}[${index}]`, place));
  }

  #step(step: PipelineStep, field: string, place: Place): PipelineStep {
    this.#steps += 1;
    if (this.#steps === MAX_STEPS + 1)
      this.#add(field, `is one step too many: with all that is called there may be ${MAX_STEPS}`);
    if (this.#steps > MAX_STEPS) return step;
    if (step.kind === 'sequence' || step.kind === 'parallel') {
      const inside = { ...place, depth: place.depth + 1 };
      return { ...step, steps: this.#siblings(step.steps, `${field}.${step.kind}`, inside) };
    }
    return step.kind === 'pipeline' ? this.#call(step, field, place) : step;
  }

  #call(step: SubPipelineStep, field: string, place: Place): PipelineStep {
    const called = typeof step.pipeline === 'string' ? this.#library.get(step.pipeline) : step.pipeline;
    if (called === undefined) {
      const known = [...this.#library.keys()].slice(0, 20).join(', ');
      const choice = known === '' ? 'no other pipeline is known' : `known are ${known}`;
      this.#add(`${field}.pipeline`, `${JSON.stringify(step.pipeline)} is no pipeline: ${choice}`);
      return step;
    }
    const names = place.callers.map(({ name }) => name);
    if (names.includes(called.name)) {
      const circle = [...names.slice(names.indexOf(called.name)), called.name].join(' calls ');
      this.#add(`${field}.pipeline`, `leads back to where it began: ${circle}`);
      return step;
    }
    this.#checkInput(step, called, field);
    return { ...step, pipeline: this.pipeline(called, { ...place, prefix: `${field}.pipeline` }) };
  }

  #checkInput(step: SubPipelineStep, called: Pipeline, field: string): void {
    const known = called.inputs.map(({ name }) => name);
    for (const name of Object.keys(step.input).filter((given) => !known.includes(given))) {
      this.#add(`${field}.input.${name}`, `is no input of "${called.name}": ${inputsInWords(known)}`);
    }
    for (const { name, default: otherwise } of called.inputs) {
      if (otherwise === undefined && !Object.hasOwn(step.input, name))
        this.#add(`${field}.input`, `lacks "${name}", which "${called.name}" needs`);
    }
  }

  #add(field: string, message: string): void {
    this.problems.push({ field, message });
  }
}

export function inputsInWords(known: readonly string[]): string {
  return known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
}
