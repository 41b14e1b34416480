/**
 * What is found while one document is read: problems, and the place of every field. A field without a place of its
 * own (a default, a field that is missing) is found at the nearest field around it.
 */
import type { DocumentProblem } from '../model/problem.ts';
import type { Position, SourceDocument } from './source.ts';

/** Problems that are reported for one document. */
const MAX_PROBLEMS = 100;

/** The problems and places of one document. */
export class Findings {
  readonly #document: SourceDocument;
  readonly #offsets = new Map<string, number>();
  readonly #problems: DocumentProblem[] = [];

  constructor(document: SourceDocument) {
    this.#document = document;
  }

  /** Where a field is written: an offset into the file. */
  place(field: string, offset: number): void {
    this.#offsets.set(field, offset);
  }

  /** Adds a fault of `field`, at `offset` or where the field is written. Beyond the limit it is dropped. */
  add(field: string, message: string, offset?: number): void {
    if (this.full) return;
    const { line, column } = offset === undefined ? this.position(field) : this.#document.position(offset);
    this.#problems.push({ severity: 'error', file: this.#document.file, line, column, field, message });
  }

  /** Nothing more is reported, so nothing more needs to be read. */
  get full(): boolean {
    return this.#problems.length >= MAX_PROBLEMS;
  }

  /** Whether the document has `field` itself, not only a default for it. */
  isWritten(field: string): boolean {
    return this.#offsets.has(field);
  }

  /** Whether `field` or something within it has a fault. */
  isBroken(field: string): boolean {
    return this.#problems.some(
      (problem) =>
        problem.field === field ||
        problem.field.startsWith(`${field}.`) ||
        problem.field.startsWith(`${field}[`),
    );
  }

  /** Where `field`, or the nearest field around it, is written. */
  position(field: string): Position {
    for (let path = field; path !== ''; path = parentPath(path)) {
      const offset = this.#offsets.get(path);
      if (offset !== undefined) return this.#document.position(offset);
    }
    return this.#document.position(this.#document.root.range[0]);
  }

  /** All problems, in the order of their places. */
  get problems(): readonly DocumentProblem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }
}

/** `spec.listeners[0]` within `spec`: the path of a field from its parent's. */
export function joinPath(parent: string, field: string): string {
  if (parent === '' || field === '') return parent + field;
  return field.startsWith('[') ? parent + field : `${parent}.${field}`;
}

function parentPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
}
