/**
 * The store in custom resources as the controller works with it: a change that was refused is told in the words and codes of
 * operations, and where the store read something else than the controller has in memory, that is told too.
 */
import {
  ChangedByAnotherError,
  StoreLimitError,
  StoreRejectedError,
  StoreUnavailableError,
} from './adapters/kubernetes/store/errors.ts';
import { OperationError, type OperationErrorCode } from './operations/types.ts';
import { GenerationConflictError, NotLeaderError, type Store } from './ports/store.ts';

interface Told {
  readonly code: OperationErrorCode;
  /** What is in memory may not be what is stored. */
  readonly isDoubt: boolean;
}

/** `onDoubt`: whoever works with this store has to begin anew. */
export function withToldRefusals(store: Store, onDoubt: () => void): Store {
  return {
    ...store,
    async commit(commit) {
      try {
        return await store.commit(commit);
      } catch (error) {
        const told = toldOf(error);
        if (told === undefined || !(error instanceof Error)) throw error;
        if (told.isDoubt) onDoubt();
        throw new OperationError(told.code, error.message);
      }
    },
  };
}

function toldOf(error: unknown): Told | undefined {
  if (error instanceof NotLeaderError) return { code: 'Unavailable', isDoubt: false };
  if (error instanceof StoreUnavailableError) return { code: 'Unavailable', isDoubt: error.mayBeWritten };
  if (error instanceof ChangedByAnotherError || error instanceof GenerationConflictError)
    return { code: 'Aborted', isDoubt: true };
  if (error instanceof StoreRejectedError || error instanceof StoreLimitError)
    return { code: 'FailedPrecondition', isDoubt: false };
  return undefined;
}
