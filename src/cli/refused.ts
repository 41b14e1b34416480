/** Refusals that a command takes as an answer. */
import { status } from '@grpc/grpc-js';
import { AdminError } from '../admin/errors.ts';

/** What the call answers; undefined where the controller says that there is no such thing. */
export function ifThere<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  return call.catch((error: unknown) => {
    if (error instanceof AdminError && error.code === status.NOT_FOUND && error.detail !== undefined)
      return undefined;
    throw error;
  });
}
