/** Waits for what others do, and says what it waits for each time that changes. */
import type { Milliseconds } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';
import { NamespaceWorkError } from './error.ts';

export interface Waiting {
  readonly clock: Clock;
  /** How long one thing may take. */
  readonly timeout: Milliseconds;
  readonly tell: (line: string) => void;
  /** What whoever asked may do where something takes longer. */
  readonly wayOn: string;
}

const LOOKS_EVERY: Milliseconds = 300;

/** Looks until `look` has nothing left to wait for: what it gives otherwise says what that is. Rejects with NamespaceWorkError at the limit. */
export async function waitFor(
  { clock, timeout, tell, wayOn }: Waiting,
  look: () => Promise<string | undefined>,
): Promise<void> {
  const until = clock.now() + timeout;
  const never = new AbortController().signal;
  for (let said = ''; ; ) {
    const waitsFor = await look();
    if (waitsFor === undefined) return;
    if (waitsFor !== said) tell(`waits: ${waitsFor}`);
    said = waitsFor;
    if (clock.now() >= until) {
      throw new NamespaceWorkError(`it has not come so far within ${timeout / 1_000} s: ${waitsFor}`, [
        wayOn,
      ]);
    }
    await clock.sleep(LOOKS_EVERY, never);
  }
}
