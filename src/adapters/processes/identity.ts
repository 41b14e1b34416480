/**
 * Which process is meant. A process id alone is given to somebody else after its process ended; with the start time
 * and the boot it names one process for ever. Every signal goes through here, so none can hit a stranger.
 */
import { bootId, isDead, statOf } from './proc.ts';

/** One process of one boot of this machine. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startTime: number;
  readonly bootId: string;
}

/** The identity of a process that exists now; undefined when it does not. A zombie is dead. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  return stat === undefined || isDead(stat.state)
    ? undefined
    : { pid, startTime: stat.startTime, bootId: bootId() };
}

/** Whether exactly this process runs now. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = statOf(identity.pid);
  return (
    stat !== undefined &&
    !isDead(stat.state) &&
    stat.startTime === identity.startTime &&
    identity.bootId === bootId()
  );
}

/** Whether exactly this process runs no more, for certain: where that cannot be read, it has not ended. */
export function hasEnded(identity: ProcessIdentity): boolean {
  try {
    return !isAlive(identity);
  } catch {
    return false;
  }
}

/**
 * Sends a signal to exactly this process; false when it runs no more. Between the check and the signal nothing else
 * of ours runs; Node offers no process file descriptors, which would close the last microseconds too.
 */
export function sendSignal(identity: ProcessIdentity, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
