/**
 * The ways in which a state file is refused or cannot be written, and their form while they cross from the worker
 * thread, where only plain values survive.
 */
import { GenerationConflictError } from '../../ports/store.ts';

/**
 * Why a file was refused: `Locked`: another process has it. `Corrupt`: its content is not what was written. `Foreign`:
 * not a Switchyard state file. `TooNew`: a newer release wrote it in a form that this one cannot read. `Incomplete`:
 * files beside it say that a part is missing. `Exists`: a file that would be written is there. `Unusable`: the system
 * does not let us read or write it.
 */
export type RefusalReason =
  | 'Locked'
  | 'Corrupt'
  | 'Foreign'
  | 'TooNew'
  | 'Incomplete'
  | 'Exists'
  | 'Unusable';

/** What is refused, and what to do. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly file: string;
  /** What is wrong, to be read after the name of the file: `is damaged (…)`. */
  readonly finding: string;
  /** What the operator can do, as sentences. */
  readonly advice: string;
}

/** The file was refused and left as it is. The message names the file, what is wrong, and what to do. */
export class StoreRefusedError extends Error implements Refusal {
  override readonly name = 'StoreRefusedError';
  readonly reason: RefusalReason;
  readonly file: string;
  readonly finding: string;
  readonly advice: string;
  constructor(refusal: Refusal) {
    super(`${refusal.file} ${refusal.finding}. ${refusal.advice}`);
    this.reason = refusal.reason;
    this.file = refusal.file;
    this.finding = refusal.finding;
    this.advice = refusal.advice;
  }
}

/** The way back from a state file that cannot be used. */
export const RESTORE_ADVICE = 'It was left as it is. Put a backup in its place: switchyard restore BACKUP';

/** Nothing was changed, because the file could not be written: a full disk, a lost volume. Later commits may succeed. */
export class StoreWriteError extends Error {
  override readonly name = 'StoreWriteError';
}

/** That the content of a file is not what was written. */
export function corrupt(file: string, what: string): StoreRefusedError {
  return new StoreRefusedError({
    reason: 'Corrupt',
    file,
    finding: `is damaged (${what})`,
    advice: RESTORE_ADVICE,
  });
}

/** SQLite's primary result code, where the error came from SQLite (https://www.sqlite.org/rescode.html). */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}

/** SQLite's result codes that we tell apart. */
export const SQLITE = {
  BUSY: 5,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;

/** An error as plain values. */
export type PlainError =
  | {
      readonly kind: 'GenerationConflict';
      readonly conflict: ConstructorParameters<typeof GenerationConflictError>[0];
    }
  | { readonly kind: 'Refused'; readonly refusal: Refusal }
  | { readonly kind: 'Write' | 'Range' | 'Type' | 'Other'; readonly message: string };

/** Takes an error apart, in the worker. */
export function toPlain(error: unknown): PlainError {
  if (error instanceof GenerationConflictError) {
    return {
      kind: 'GenerationConflict',
      conflict: { service: error.service, expected: error.expected, actual: error.actual },
    };
  }
  if (error instanceof StoreRefusedError) {
    const { reason, file, finding, advice } = error;
    return { kind: 'Refused', refusal: { reason, file, finding, advice } };
  }
  if (error instanceof StoreWriteError) return { kind: 'Write', message: error.message };
  if (error instanceof RangeError) return { kind: 'Range', message: error.message };
  if (error instanceof TypeError) return { kind: 'Type', message: error.message };
  return { kind: 'Other', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** Puts it together again, in the main thread. */
export function fromPlain(plain: PlainError): Error {
  switch (plain.kind) {
    case 'GenerationConflict':
      return new GenerationConflictError(plain.conflict);
    case 'Refused':
      return new StoreRefusedError(plain.refusal);
    case 'Write':
      return new StoreWriteError(plain.message);
    case 'Range':
      return new RangeError(plain.message);
    case 'Type':
      return new TypeError(plain.message);
    case 'Other':
      return new Error(plain.message);
  }
}
