/** Rules that hold for values of any field of a pipeline, and what a fault is. */
import { isStepName, type Range, STEP_NAME_RULE } from './bounds.ts';

/** A fault of a pipeline. */
export interface PipelineProblem {
  /** For example `steps[0].parallel[1].timeout`; empty for the pipeline as a whole. */
  readonly field: string;
  /** What is wrong with which value, and what would be right. */
  readonly message: string;
}

export type AddProblem = (field: string, message: string) => void;

export function checkName(name: string, field: string, add: AddProblem): void {
  if (!isStepName(name)) add(field, `${JSON.stringify(name.slice(0, 80))} must be ${STEP_NAME_RULE}`);
}

/** A text of at most `most` characters, and of at least one where it `mustBe` there. */
export function checkLength(
  text: string,
  { most, mustBe, field }: { readonly most: number; readonly mustBe?: boolean; readonly field: string },
  add: AddProblem,
): void {
  if (mustBe === true && text.trim() === '') add(field, `is empty: 1 to ${most} characters are needed`);
  if (text.length > most) add(field, `has ${text.length} characters; at most ${most} are allowed`);
  if (text.includes('\0')) add(field, 'has a character NUL: leave it out');
}

export function checkSize(size: number, most: number, field: string, add: AddProblem): void {
  if (size > most) add(field, `has ${size} elements; at most ${most} are allowed`);
}

export function checkWhole(value: number, [least, most]: Range, field: string, add: AddProblem): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    add(field, `${value} must be a whole number from ${least} to ${most}`);
  }
}

export function checkDuration(value: number, [least, most]: Range, field: string, add: AddProblem): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    add(field, `${inWords(value)} must be ${inWords(least)} to ${inWords(most)}`);
  }
}

/** A duration for a sentence: in the largest unit that it is a whole number of. */
export function inWords(milliseconds: number): string {
  if (milliseconds !== 0 && milliseconds % 3_600_000 === 0) return `${milliseconds / 3_600_000}h`;
  if (milliseconds !== 0 && milliseconds % 60_000 === 0) return `${milliseconds / 60_000}m`;
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000}s` : `${milliseconds}ms`;
}
