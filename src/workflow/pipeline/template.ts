/**
 * References in values: `${input.branch}`, `${steps.build.output.json.image}`, `${execution.id}`. A text that is one
 * reference and nothing else becomes the value itself, of whatever type; within other text a value is written as text.
 * `$${` stands for `${`.
 */
import type { Json } from '../../model/json.ts';

/** One `${...}`. */
export interface Reference {
  /** As it was written, without `${` and `}`. */
  readonly text: string;
  readonly root: 'input' | 'steps' | 'execution';
  /** The input, the step, or the fact of the execution. */
  readonly name: string;
  /** Fields and indexes within the value. */
  readonly path: readonly string[];
}

type Part =
  | { readonly kind: 'Text'; readonly text: string }
  | { readonly kind: 'Reference'; readonly reference: Reference };

export type Parsed =
  | { readonly kind: 'Parts'; readonly parts: readonly Part[] }
  | { readonly kind: 'Fault'; readonly message: string };

export type Evaluated<T = Json> =
  | { readonly kind: 'Value'; readonly value: T }
  | { readonly kind: 'Fault'; readonly message: string };

/** Finds what a reference stands for. */
export type Lookup = (reference: Reference) => Evaluated;

/** What `${execution.…}` may name. */
export const EXECUTION_FACTS = ['id', 'tenant', 'version', 'name'] as const;

const OPENING = /\$\$\{|\$\{/g;
const SEGMENT = /^[\w-]{1,128}$/;
const RULE = 'write ${input.NAME}, ${steps.NAME.output.FIELD} or ${execution.id}; $${ stands for ${ itself';

/** The parts of a text. */
export function parseTemplate(text: string): Parsed {
  const parts: Part[] = [];
  let plain = '';
  let from = 0;
  for (const { 0: opening, index } of text.matchAll(OPENING)) {
    if (index < from) continue;
    plain += text.slice(from, index);
    if (opening === '$${') {
      plain += '${';
      from = index + opening.length;
      continue;
    }
    const end = text.indexOf('}', index);
    if (end === -1) return { kind: 'Fault', message: `has "\${" without "}": ${RULE}` };
    const reference = parseReference(text.slice(index + 2, end));
    if (reference === undefined) {
      return { kind: 'Fault', message: `has "${text.slice(index, Math.min(end + 1, index + 80))}": ${RULE}` };
    }
    if (plain !== '') parts.push({ kind: 'Text', text: plain });
    plain = '';
    parts.push({ kind: 'Reference', reference });
    from = end + 1;
  }
  plain += text.slice(from);
  if (plain !== '') parts.push({ kind: 'Text', text: plain });
  return { kind: 'Parts', parts };
}

function parseReference(text: string): Reference | undefined {
  const [root, name, ...rest] = text.split('.');
  if (name === undefined || ![name, ...rest].every((segment) => SEGMENT.test(segment))) return undefined;
  if (root === 'input') return { text, root, name, path: rest };
  if (root === 'execution' && rest.length === 0) return { text, root, name, path: [] };
  if (root === 'steps' && rest[0] === 'output') return { text, root, name, path: rest.slice(1) };
  return undefined;
}

/** Every text within a value, with its place from `field`. Keys are not texts: nothing is replaced in them. */
export function* textsOf(value: Json, field: string): Generator<{ field: string; text: string }> {
  if (typeof value === 'string') yield { field, text: value };
  else if (Array.isArray(value)) {
    for (const [index, element] of (value as readonly Json[]).entries())
      yield* textsOf(element, `${field}[${index}]`);
  } else if (value !== null && typeof value === 'object') {
    for (const [key, element] of Object.entries(value)) yield* textsOf(element, `${field}.${key}`);
  }
}

/** A value with its references replaced. */
export function evaluate(value: Json, lookup: Lookup): Evaluated {
  if (typeof value === 'string') return evaluateText(value, lookup);
  if (Array.isArray(value)) {
    const elements: Json[] = [];
    for (const element of value as readonly Json[]) {
      const evaluated = evaluate(element, lookup);
      if (evaluated.kind === 'Fault') return evaluated;
      elements.push(evaluated.value);
    }
    return { kind: 'Value', value: elements };
  }
  if (value === null || typeof value !== 'object') return { kind: 'Value', value };
  return evaluateFields(value as Readonly<Record<string, Json>>, lookup);
}

/** A mapping with the references in its values replaced. */
export function evaluateFields(
  fields: Readonly<Record<string, Json>>,
  lookup: Lookup,
): Evaluated<Readonly<Record<string, Json>>> {
  const entries: [string, Json][] = [];
  for (const [key, element] of Object.entries(fields)) {
    const evaluated = evaluate(element, lookup);
    if (evaluated.kind === 'Fault') return evaluated;
    entries.push([key, evaluated.value]);
  }
  return { kind: 'Value', value: Object.fromEntries(entries) };
}

function evaluateText(text: string, lookup: Lookup): Evaluated {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'Fault') return parsed;
  const [first, ...others] = parsed.parts;
  if (first?.kind === 'Reference' && others.length === 0) return lookup(first.reference);
  return joined(parsed.parts, lookup, (value) => value);
}

/** A text with its references replaced, as text. `encode` is told which part it is given, from 0. */
export function evaluateAsText(
  text: string,
  lookup: Lookup,
  encode: (text: string, part: number) => string = (value) => value,
): Evaluated<string> {
  const parsed = parseTemplate(text);
  return parsed.kind === 'Fault' ? parsed : joined(parsed.parts, lookup, encode);
}

function joined(
  parts: readonly Part[],
  lookup: Lookup,
  encode: (text: string, part: number) => string,
): Evaluated<string> {
  let result = '';
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'Text') result += part.text;
    else {
      const found = lookup(part.reference);
      if (found.kind === 'Fault') return found;
      result += encode(written(found.value), index);
    }
  }
  return { kind: 'Value', value: result };
}

/** A value within text: text as it is, anything else as JSON. */
function written(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What lies at a path within a value. Within null everything is null: the output of a step that was skipped. */
export function valueAt(value: Json, reference: Reference): Evaluated {
  let found = value;
  for (const segment of reference.path) {
    if (found === null) return { kind: 'Value', value: null };
    const next =
      typeof found === 'object' && Object.hasOwn(found, segment)
        ? (found as Readonly<Record<string, Json>>)[segment]
        : undefined;
    if (next === undefined || (Array.isArray(found) && segment === 'length')) {
      return { kind: 'Fault', message: `\${${reference.text}} is not there: ${missing(found, segment)}` };
    }
    found = next;
  }
  return { kind: 'Value', value: found };
}

function missing(found: Json, segment: string): string {
  if (found === null || typeof found !== 'object') return `${typeof found} has no field "${segment}"`;
  if (Array.isArray(found)) return `the list has ${found.length} elements and no "${segment}"`;
  const known = Object.keys(found).slice(0, 10).join(', ');
  return `no field "${segment}"${known === '' ? '' : ` among ${known}`}`;
}
