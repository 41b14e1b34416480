/** The versions whose work a version may touch, asked of the store now and then (rule 13). */
import type { Instant, Milliseconds } from '../../model/instant.ts';
import type { VersionName } from '../../model/names.ts';
import type { Clock } from '../../ports/clock.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';

/** Declarations are for ever, so an old answer lacks at most what was declared since. */
const FRESH_FOR: Milliseconds = 5_000;

export class CompatibleVersions {
  readonly #store: WorkflowStore;
  readonly #clock: Clock;
  readonly #known = new Map<VersionName, { versions: Promise<readonly VersionName[]>; at: Instant }>();

  constructor(store: WorkflowStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Itself first. Rejects where the store does. */
  async of(version: VersionName): Promise<readonly VersionName[]> {
    const now = this.#clock.now();
    const known = this.#known.get(version);
    if (known !== undefined && now - known.at < FRESH_FOR) return known.versions;
    const versions = this.#store.compatibleVersions(version);
    this.#known.set(version, { versions, at: now });
    try {
      return await versions;
    } catch (error) {
      this.#known.delete(version);
      throw error;
    }
  }
}
