/** Which references can be seen to lead nowhere: to an input or a step that there is not, or that has not ended by then. */
import type { Json } from '../../model/json.ts';
import { visible } from '../../model/text.ts';
import type { AddProblem } from './check-values.ts';
import { EXECUTION_FACTS, parseTemplate, type Reference, textsOf } from './template.ts';

/** What a step can refer to. */
export interface Scope {
  readonly inputs: readonly string[];
  /** The innermost first: the steps beside the step, those beside the step around it, and so on. */
  readonly levels: readonly Level[];
}

interface Level {
  /** The step that is about to begin, or goes on, in this level; absent: all have ended. */
  readonly step?: string;
  readonly finished: readonly string[];
  readonly unfinished: readonly string[];
}

/** Adds what is wrong with the references in a value. */
export function referenceProblems(value: Json, field: string, scope: Scope, add: AddProblem): void {
  for (const { field: own, text } of textsOf(value, field)) {
    const parsed = parseTemplate(text);
    if (parsed.kind === 'Fault') add(own, parsed.message);
    else
      for (const part of parsed.parts) {
        const wrong = part.kind === 'Reference' ? referenceProblem(part.reference, scope) : undefined;
        if (wrong !== undefined) add(own, wrong);
      }
  }
}

function referenceProblem(reference: Reference, scope: Scope): string | undefined {
  const { root, name } = reference;
  const text = visible(reference.text, 120);
  if (root === 'execution') return unknown(text, 'fact of the execution', name, EXECUTION_FACTS);
  if (root === 'input') return unknown(text, 'input', name, scope.inputs);
  for (const { step, finished, unfinished } of scope.levels) {
    if (finished.includes(name)) return undefined;
    if (!unfinished.includes(name)) continue;
    return step === name
      ? `\${${text}} is the output of "${name}" itself, which has none yet`
      : `\${${text}} is the output of "${name}", which has not ended when "${step ?? ''}" begins: refer to a step before it`;
  }
  return unknown(text, 'step before it', name, [
    ...new Set(scope.levels.flatMap(({ finished }) => finished)),
  ]);
}

function unknown(text: string, what: string, name: string, known: readonly string[]): string | undefined {
  if (known.includes(name)) return undefined;
  const choice =
    known.length === 0 ? 'there is none' : `there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
  return `\${${text}} names no ${what}: ${choice}`;
}
