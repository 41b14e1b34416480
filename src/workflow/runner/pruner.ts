/** Removes executions that ended long ago, a few at a time, so that nobody waits for it and the store does not grow for ever. */
import { instant, type Milliseconds } from '../../model/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';

/** Executions of one call: more would keep the store from others for too long. */
const REMOVED_TOGETHER = 200;
const LOOK_EVERY: Milliseconds = 600_000;
const BETWEEN_CALLS: Milliseconds = 1_000;

export interface PrunerOptions {
  readonly store: WorkflowStore;
  readonly clock: Clock;
  readonly keepEnded: Milliseconds;
  readonly onFault: (error: unknown) => void;
}

export class Pruner {
  readonly #options: PrunerOptions;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** Looks now and then until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, onFault } = this.#options;
    while (!signal.aborted) {
      const removed = await this.#prune().catch((error: unknown) => {
        onFault(error);
        return 0;
      });
      const rest = removed < REMOVED_TOGETHER ? LOOK_EVERY : BETWEEN_CALLS;
      await clock.sleep(rest, signal).catch(() => {});
    }
  }

  async #prune(): Promise<number> {
    const { store, keepEnded } = this.#options;
    const before = instant(Math.max(0, (await store.now()) - keepEnded));
    return store.prune({ before, limit: REMOVED_TOGETHER });
  }
}
