/** What the port's errors are while they cross from the worker thread, where only plain values survive. */
import { PayloadTooLargeError } from '../../ports/workflow-store.ts';
import {
  fromPlain,
  type PlainError,
  SQLITE,
  StoreRefusedError,
  StoreWriteError,
  sqliteCode,
  toPlain,
} from '../sqlite/errors.ts';

/** What an operator can do about a workflow file that cannot be used. */
export const WORKFLOW_FILE_ADVICE =
  'It was left as it is. Name another file, or put a copy that was made while no process had it open in its place';

export type PlainWorkflowError =
  | PlainError
  | { readonly kind: 'PayloadTooLarge'; readonly what: string; readonly bytes: number };

/** Takes an error apart, in the worker. */
export function toPlainWorkflow(error: unknown, file: string): PlainWorkflowError {
  if (error instanceof PayloadTooLargeError) {
    return { kind: 'PayloadTooLarge', what: error.what, bytes: error.bytes };
  }
  return toPlain(named(error, file));
}

/** Puts it together again, in the main thread. */
export function fromPlainWorkflow(plain: PlainWorkflowError): Error {
  return plain.kind === 'PayloadTooLarge'
    ? new PayloadTooLargeError(plain.what, plain.bytes)
    : fromPlain(plain);
}

/** What SQLite says of a file in use, with the file's name and what follows from it. */
function named(error: unknown, file: string): unknown {
  const message = error instanceof Error ? error.message : String(error);
  switch (sqliteCode(error)) {
    case undefined:
      return error;
    case SQLITE.CORRUPT:
    case SQLITE.NOTADB:
      return new StoreRefusedError({
        reason: 'Corrupt',
        file,
        finding: `is damaged (${message})`,
        advice: WORKFLOW_FILE_ADVICE,
      });
    default:
      return new StoreWriteError(
        `${file} cannot be read or written: ${message}; nothing was changed by this call`,
      );
  }
}
