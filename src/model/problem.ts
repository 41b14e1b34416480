/**
 * Faults and findings in what users write. Parsers find them with a place in a file; rules that see only the model
 * find them by service and field.
 */
import type { ServiceName } from './names.ts';

/** One fault in a document. */
export interface DocumentProblem {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** 1-based; 0 where the fault has no place. */
  readonly line: number;
  readonly column: number;
  /** For example `spec.listeners[0].port`; empty for the document as a whole. */
  readonly field: string;
  /** What is wrong with which value, and what would be right. */
  readonly message: string;
}

/** One fault or finding in a service, before it is given a place in a file. */
export interface ServiceProblem {
  readonly severity: 'error' | 'warning';
  readonly service: ServiceName;
  /** For example `spec.listeners[0].port`. */
  readonly field: string;
  /** What is wrong with which value, and what would be right. */
  readonly message: string;
}
