/** A DelegateSource that knows what a test sets. test/contract/delegate-source.ts holds it to what the real ones do. */
import type { DelegateAnswer } from '../../src/model/delegates.ts';
import { type Instant, instant } from '../../src/model/instant.ts';
import type { DelegateRegistration } from '../../src/model/workflow.ts';
import type { DelegateRequest, DelegateSource } from '../../src/ports/delegate-source.ts';

export class ScriptedDelegates implements DelegateSource {
  /** Those that are connected, or were. */
  connected: readonly DelegateRegistration[] = [];
  /** Set: nothing is known, and this is why. */
  problem: string | undefined;
  /** When it is asked. */
  now: Instant = instant(0);

  async delegates({ versions, since, signal }: DelegateRequest): Promise<DelegateAnswer> {
    const problem = signal.aborted ? 'the round was ended' : this.problem;
    if (problem !== undefined) return { kind: 'unknown', reason: problem };
    const delegates = this.connected.filter(
      ({ version, lastSeen }) => versions.includes(version) && lastSeen >= since,
    );
    return { kind: 'named', asOf: this.now, delegates };
  }
}
