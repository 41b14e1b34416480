/** How long an operator's order may hold. */
import type { Milliseconds } from '../model/instant.ts';
import { OperationError } from './types.ts';

const MOST: Milliseconds = 366 * 24 * 3_600_000;

/** Throws OperationError InvalidArgument unless it is above 0 and at most a year. */
export function requireDuration(duration: Milliseconds): void {
  if (duration > 0 && duration <= MOST) return;
  throw new OperationError(
    'InvalidArgument',
    `duration: ${duration} ms must be above 0 and at most 366 days`,
  );
}
