/** Keeps a watch going while the controller restarts: what breaks after it has begun is begun again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { AdminError } from '../admin/errors.ts';
import { placeOf, placeText } from './place.ts';
import { type Context, note } from './shell.ts';

/** Between two attempts, in milliseconds. */
const RETRY_INTERVAL = 500;

/**
 * The messages of `begin`, begun again whenever the connection breaks. A watch that never began, or that the
 * controller refuses, throws as it is.
 */
export async function* follow<Message>(
  context: Context,
  begin: () => AsyncIterable<Message>,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  let hasBegun = false;
  let isBroken = false;
  while (!signal.aborted) {
    try {
      for await (const message of begin()) {
        if (isBroken) note(context, 'connected again');
        isBroken = false;
        hasBegun = true;
        yield message;
      }
      return;
    } catch (error) {
      if (!hasBegun || !isConnectionLoss(error)) throw error;
      if (!isBroken) note(context, `lost the connection to ${placeText(placeOf(context))}; trying again`);
      isBroken = true;
      await sleep(RETRY_INTERVAL, undefined, { signal }).catch(() => undefined);
    }
  }
}

function isConnectionLoss(error: unknown): boolean {
  return error instanceof AdminError && error.code === status.UNAVAILABLE;
}
