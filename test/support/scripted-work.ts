/** A WorkSource whose instances say what a test sets. test/contract/work-source.ts holds it to what the real one does. */
import { instant } from '../../src/model/instant.ts';
import type { FenceOutcome, WorkCount, WorkSource } from '../../src/ports/work-source.ts';

export class ScriptedWork implements WorkSource {
  /** Whether the instances take new work; fence and lift change it. */
  fenced = false;
  /** Whether the instances confirm a fence or a lift. */
  confirms = true;
  /** What they count. */
  open: WorkCount = { kind: 'counted', asOf: instant(0), total: 0, open: [], certificate: 'observed' };

  async fence(): Promise<FenceOutcome> {
    return this.#tell(true);
  }

  async lift(): Promise<FenceOutcome> {
    return this.#tell(false);
  }

  async count(): Promise<WorkCount> {
    return this.open;
  }

  /** From now on these streams are open. */
  say(ids: readonly string[]): void {
    const open = ids.map((id) => ({ kind: 'stream', id, instance: 'manager-1' }));
    this.open = { kind: 'counted', asOf: instant(0), total: ids.length, open, certificate: 'observed' };
  }

  #tell(fenced: boolean): FenceOutcome {
    if (!this.confirms) return { kind: 'unconfirmed', reasons: ['manager-1 did not answer'] };
    this.fenced = fenced;
    return { kind: 'confirmed' };
  }
}
