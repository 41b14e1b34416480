/** The ways in which custom resources are refused as a store, or cannot be written. */
import type { ServiceName } from '../../../model/names.ts';

/** The API server could not be asked, or did not say what came of a change. The next read or change looks before it does anything. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  /** True: the change may have been made, although nobody said so. */
  readonly mayBeWritten: boolean;
  constructor(of: { readonly what: string; readonly mayBeWritten: boolean; readonly cause: unknown }) {
    const { what, mayBeWritten, cause } = of;
    const fate = mayBeWritten ? 'it is not known whether it was written' : 'nothing was changed';
    super(`${what} could not be reached in time, ${fate}: ${(cause as Error).message}`, { cause });
    this.mayBeWritten = mayBeWritten;
  }
}

/** The API server refuses a change for good: rights that are missing, a definition that is not installed. Nothing was changed. */
export class StoreRejectedError extends Error {
  override readonly name = 'StoreRejectedError';
}

/** An object was changed, made or deleted by another hand. Nothing was changed, and it is read anew. */
export class ChangedByAnotherError extends Error {
  override readonly name = 'ChangedByAnotherError';
}

/** What is stored cannot be used: damaged, missing, or of a newer release. It was left as it is. */
export class StateUnreadableError extends Error {
  override readonly name = 'StateUnreadableError';
}

/** A change would make more than custom resources hold. Nothing was changed. */
export class StoreLimitError extends RangeError {
  override readonly name = 'StoreLimitError';
  /** Whose record is too large, or one too many. */
  readonly service: ServiceName;
  constructor(service: ServiceName, message: string) {
    super(message);
    this.service = service;
  }
}
