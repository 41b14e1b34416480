/**
 * Ends all processes of an instance: an id and its main process enter; it resolves when none of them runs. SIGTERM
 * goes to each, SIGKILL to those that are left after the grace time. Processes are signalled one by one and never as
 * a group, so that each can be checked to be ours.
 */
import type { Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import { findFamily } from './family.ts';
import { isAlive, type ProcessIdentity, sendSignal } from './identity.ts';

export interface Ending {
  readonly id: string;
  readonly main?: ProcessIdentity | undefined;
  /** Time between SIGTERM and SIGKILL; read again at each look, since a wish may change it. */
  readonly grace: () => Milliseconds;
  readonly clock: Clock;
  /** Aborted: nobody waits any more; the processes are left as they are. */
  readonly signal: AbortSignal;
  /** Called before SIGKILL is first sent, with the number of processes that get it. */
  readonly onKill: (processes: number) => void;
}

const LOOK_INTERVAL: Milliseconds = 50;

/** Rejects with the signal's reason when that is aborted, and with an error where a process may not be signalled. */
export async function endProcesses(ending: Ending): Promise<void> {
  const { id, main, clock, signal } = ending;
  const known = new Map<string, ProcessIdentity>();
  const asked = new Set<string>();
  let living: ProcessIdentity[] = [];
  // Counted in looks: a clock that is set back or forth in between changes nothing.
  for (let elapsed = 0, killing = false; ; elapsed += LOOK_INTERVAL) {
    signal.throwIfAborted();
    // A search reads every process of the machine, so it is made only when all that are known have ended.
    if (living.length === 0) {
      for (const { identity } of await findFamily({ id, main })) known.set(keyOf(identity), identity);
      living = [...known.values()].filter(isAlive);
    }
    if (living.length === 0) return;
    if (elapsed >= ending.grace()) {
      if (!killing) ending.onKill(living.length);
      killing = true;
      for (const identity of living) sendSignal(identity, 'SIGKILL');
    } else {
      for (const identity of living.filter((each) => !asked.has(keyOf(each)))) {
        sendSignal(identity, 'SIGTERM');
        asked.add(keyOf(identity));
      }
    }
    await clock.sleep(LOOK_INTERVAL, signal);
    living = living.filter(isAlive);
  }
}

function keyOf({ pid, startTime }: ProcessIdentity): string {
  return `${pid}:${startTime}`;
}
