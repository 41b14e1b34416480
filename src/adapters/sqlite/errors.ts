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

/** The file was refused and left as it is. */
export class StoreRefusedError extends Error {
  override readonly name = 'StoreRefusedError';
  readonly reason: RefusalReason;
  readonly file: string;
  constructor(refusal: { reason: RefusalReason; file: string; message: string }, options?: ErrorOptions) {
    super(refusal.message, options);
    this.reason = refusal.reason;
    this.file = refusal.file;
  }
}

/** Nothing was changed, because the file could not be written: a full disk, a lost volume. Later commits may succeed. */
export class StoreWriteError extends Error {
  override readonly name = 'StoreWriteError';
}

/** The corruption of a file, in words that say what to do. */
export function corrupt(file: string, what: string): StoreRefusedError {
  const message = `${file} is damaged (${what}). It was left as it is. Put a backup in its place: switchyard restore BACKUP`;
  return new StoreRefusedError({ reason: 'Corrupt', file, message });
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
  | { readonly kind: 'Refused'; readonly refusal: ConstructorParameters<typeof StoreRefusedError>[0] }
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
    return { kind: 'Refused', refusal: { reason: error.reason, file: error.file, message: error.message } };
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
