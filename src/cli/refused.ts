/** Refusals that a command takes as an answer. */
import { status } from '@grpc/grpc-js';
import { AdminError } from '../admin/errors.ts';

/** What the call answers; undefined where the controller says that there is no such thing, or is older than such things are. */
export function ifThere<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  return call.catch((error: unknown) => {
    const isAnswer =
      error instanceof AdminError && error.code === status.NOT_FOUND && error.detail !== undefined;
    if (isAnswer || isUnknownMethod(error)) return undefined;
    throw error;
  });
}

/** Whether the controller is older than what it was asked. */
export function isUnknownMethod(error: unknown): error is AdminError {
  return error instanceof AdminError && error.code === status.UNIMPLEMENTED && error.detail === undefined;
}
