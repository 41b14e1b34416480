/** Whether there is room for what a change adds. */
import { MAX_SERVICES } from '../model/limits.ts';
import type { ServiceName } from '../model/names.ts';
import { OperationError } from './types.ts';

/** Throws OperationError that names the first service that is one too many; `known`: how many there are. */
export function requireRoomForServices(known: number, added: readonly ServiceName[]): void {
  const [first] = added.slice(Math.max(0, MAX_SERVICES - known));
  if (first === undefined) return;
  throw new OperationError(
    'FailedPrecondition',
    `${first} would be one service more than the ${MAX_SERVICES} that one controller takes; it has ${known}: delete those that are not used any more, or give others a controller of their own`,
  );
}
