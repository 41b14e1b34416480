/**
 * What the routes were at which time, as the one who gave the commands knows it. A stage is legal from the moment
 * before its command was given until the next stage had reached the proxy; between the two both are legal, because
 * nobody outside can tell when the proxy changed over. Each entrance has a history of its own.
 */

/** The routes between two commands. */
export interface Stage {
  /** Default traffic: `weight` percent of the tenants are on `to`, the others on `from`. */
  readonly from: string;
  readonly to: string;
  readonly weight: number;
  /** Versions that a pin reaches; any other pin is refused. */
  readonly active: readonly string[];
}

/** A stage in its place. */
export interface NumberedStage extends Stage {
  readonly number: number;
  /**
   * Stages of one leg share `from`, `to` and a rising weight: over a leg a tenant moves at most once, from `from`
   * to `to`. A rollback, a lower weight and the next shift each begin a new leg.
   */
  readonly leg: number;
}

interface Entry {
  readonly stage: NumberedStage;
  readonly begunAt: number;
  convergedAt: number;
}

/** A version that stops being active, beside whatever else changes. */
interface Leaving {
  readonly version: string;
  readonly begunAt: number;
  convergedAt: number;
}

/** The versions that may serve default traffic in a stage. */
export function defaultVersions(stage: Stage): readonly string[] {
  if (stage.weight <= 0) return [stage.from];
  return stage.weight >= 100 ? [stage.to] : [stage.from, stage.to];
}

/** A command that was given; say how it came out, exactly once. */
export interface Pending {
  /** The stage had reached the entrance at the latest at this time. */
  converged(at: number): void;
  /** It turned out that the command was never carried out. */
  discarded(): void;
}

export class History {
  readonly #entries: Entry[];
  readonly #leavings: Leaving[] = [];

  /** `first` has been in force since before any request. */
  constructor(first: Stage) {
    this.#entries = [{ stage: { ...first, number: 0, leg: 0 }, begunAt: -Infinity, convergedAt: -Infinity }];
  }

  /** The newest stage, converged or not. */
  get current(): NumberedStage {
    return this.#last().stage;
  }

  /** Notes a command just before it is given. One that has converged ends all stages before it. */
  begin({ stage, at }: { stage: Stage; at: number }): Pending {
    const last = this.#last();
    const sameLeg =
      stage.from === last.stage.from && stage.to === last.stage.to && stage.weight >= last.stage.weight;
    const leg = sameLeg ? last.stage.leg : last.stage.leg + 1;
    const entry: Entry = {
      stage: { ...stage, number: last.stage.number + 1, leg },
      begunAt: at,
      convergedAt: Infinity,
    };
    this.#entries.push(entry);
    return {
      converged: (time) => {
        entry.convergedAt = time;
      },
      discarded: () => {
        const index = this.#entries.indexOf(entry);
        if (index >= 0) this.#entries.splice(index, 1);
      },
    };
  }

  /**
   * Notes that a version is being taken away, whatever stages come and go meanwhile: from `at` on pins to it may be
   * refused, and must be once that has converged.
   */
  leave({ version, at }: { version: string; at: number }): Pending {
    const leaving: Leaving = { version, begunAt: at, convergedAt: Infinity };
    this.#leavings.push(leaving);
    return {
      converged: (time) => {
        leaving.convergedAt = time;
      },
      discarded: () => {
        const index = this.#leavings.indexOf(leaving);
        if (index >= 0) this.#leavings.splice(index, 1);
      },
    };
  }

  /** The stages that a request may have met that was sent and answered at these times; at least one. */
  during(startedAt: number, endedAt: number): readonly NumberedStage[] {
    const met: NumberedStage[] = [];
    // From the newest back: requests are mostly about the last stages, and older ones end where a newer one converged.
    let replacedAt = Infinity;
    for (let index = this.#entries.length - 1; index >= 0 && startedAt <= replacedAt; index -= 1) {
      const entry = this.#entries[index] as Entry;
      if (entry.begunAt <= endedAt) met.push(entry.stage);
      replacedAt = Math.min(replacedAt, entry.convergedAt);
    }
    return met.toReversed().flatMap((stage) => this.#withLeavings(stage, startedAt, endedAt));
  }

  /** A stage without the versions that have left; and, where some are about to, also without those. */
  #withLeavings(stage: NumberedStage, startedAt: number, endedAt: number): readonly NumberedStage[] {
    const begun = this.#leavings.filter(
      ({ version, begunAt }) => begunAt <= endedAt && stage.active.includes(version),
    );
    if (begun.length === 0) return [stage];
    const without = (leavings: readonly Leaving[]): NumberedStage => ({
      ...stage,
      active: stage.active.filter((version) => leavings.every((leaving) => leaving.version !== version)),
    });
    const gone = begun.filter(({ convergedAt }) => convergedAt < startedAt);
    return gone.length === begun.length ? [without(gone)] : [without(gone), without(begun)];
  }

  #last(): Entry {
    return this.#entries.at(-1) as Entry;
  }
}
