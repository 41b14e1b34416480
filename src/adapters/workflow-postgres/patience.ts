/** Calls that are tried again after lost connections and what may pass, for as long as the patience lasts. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../model/instant.ts';
import { explained, isLost, isReceiptRefused, isTransient, WorkflowStoreError } from './faults.ts';

export interface Patience {
  /** How long a call waits for a server that is away. */
  readonly patience: Milliseconds;
  /** Ends all waiting. */
  readonly closing?: AbortSignal;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;

/** Carries an error of ours past all that is done about errors of the server. */
export class OwnError extends Error {}

/** Resolves with what the attempt that succeeds resolves with. Rejects with a WorkflowStoreError, or an error of ours. */
export async function patiently<Result>(
  what: string,
  { patience, closing }: Patience,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const deadline = performance.now() + patience;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof OwnError) throw error.cause;
      if (error instanceof WorkflowStoreError) throw error;
      if (closing?.aborted) throw new WorkflowStoreError(`${what}: the store was closed`, { cause: error });
      const mayPass = isLost(error) || isTransient(error) || isReceiptRefused(error);
      if (!mayPass || performance.now() + pause > deadline) throw explained(what, error);
    }
    // Jittered, so that many clients do not come back at the same moment.
    await sleep(pause * (0.5 + Math.random()), undefined, { signal: closing }).catch(() => undefined);
  }
}
