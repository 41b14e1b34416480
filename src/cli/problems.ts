/** Faults in documents as compilers print them: `file:line:column: error: field: message`. */
import { SEVERITY, wordOf } from '../admin/enums.ts';
import type { DocumentProblem } from '../gen/switchyard/admin/v1/changes_pb.js';

/** The part of a problem that is shown; the API's message and the model's object both have it. */
export type ShownProblem = Omit<DocumentProblem, '$typeName' | '$unknown' | 'severity'> & {
  readonly severity: number | 'error' | 'warning';
};

export function problemLine(problem: ShownProblem): string {
  const { file, line, column, field, message, severity } = problem;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  const word = typeof severity === 'string' ? severity : wordOf(SEVERITY, severity);
  return `${place}: ${word}: ${field === '' ? '' : `${field}: `}${message}`;
}
