/**
 * Looks on while a rollout walks by itself: shows each decision as it is made, and notes for the judge which routes may
 * be in force. Nobody outside can tell when the controller takes its next step; so a stage is legal from the last look
 * that did not show it, and the stages before it until the controller says that every proxy has followed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ROLLOUT_STATE, ROLLOUT_STEP, STEP_PROGRESS, wordOf } from '../../../src/admin/enums.ts';
import type { Rollout, RolloutView } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import type { History, Pending } from '../traffic/history.ts';
import type { Probe } from '../traffic/probe.ts';
import type { Site } from './site.ts';

/** Between two looks. */
const LOOK_EVERY_MS = 100;
const ENDS_WITHIN_MS = 180_000;

/** A rollout that is about to begin. */
export interface Walk {
  readonly version: string;
  readonly baseline: string;
  /** Versions that a pin reaches while it goes on. */
  readonly active: readonly string[];
  /** Begins it. */
  readonly order: () => Promise<void>;
  /** What is done once, by name of a step, when every proxy has followed that step. */
  readonly atStep?: Readonly<Record<string, () => Promise<void>>>;
}

/** How it ended. */
export interface Walked {
  readonly id: string;
  /** The state that it ended in: `Succeeded`, `Aborted`. */
  readonly outcome: string;
  /** The last step that it came to. */
  readonly step: string;
  readonly because: string;
  /** Names of the checks that decided at that step. */
  readonly deciding: readonly string[];
  /** When that was decided; milliseconds since 1970. */
  readonly decidedAt: number;
  /** Delegates that were registered at it, of those expected, when that let traffic move; absent: it did not come so far. */
  readonly delegates?: Delegates;
}

/** Delegates of a version. */
export interface Delegates {
  readonly ready: number;
  readonly expected: number;
}

/** What is asked, shown to and noted in. */
export interface Onlooker {
  /** Whose rollouts these are. */
  readonly service: string;
  /** The weights of a rollout. */
  readonly steps: readonly number[];
  readonly world: Asked;
  readonly screen: { say(text: string): void };
  readonly history: History;
  readonly probe: Pick<Probe, 'afterOneAnswer'>;
}

/** Who knows how the rollout stands. */
export interface Asked {
  /** Calls the admin API. */
  readonly call: Site['call'];
  /** Resolves when all proxies have followed all that the controller has to say. */
  inSync(): Promise<void>;
}

/** Resolves when the rollout has ended, and the gateway serves what it ended in. */
export async function followWalk(onlooker: Onlooker, walk: Walk): Promise<Walked> {
  const { world, service } = onlooker;
  const stages = new Stages(onlooker, walk);
  const tell = teller(onlooker.screen, await lastEvent(world));
  await walk.order();
  const due = new Map(Object.entries(walk.atStep ?? {}));
  const deadline = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    const at = performance.now();
    const view = await look(world, service);
    const rollout = view?.rollout;
    if (view !== undefined && rollout?.version === walk.version) {
      tell(view);
      await stages.seen(view, at);
      if (rollout.endedAt !== undefined) {
        if (wordOf(ROLLOUT_STATE, rollout.state) !== 'Succeeded') await stages.back();
        return walked(rollout, view.verdict?.deciding ?? []);
      }
      const name = rollout.step?.name ?? '';
      const deed = rollout.stepEverywhere === undefined ? undefined : due.get(name);
      due.delete(deed === undefined ? '' : name);
      await deed?.();
    }
    if (Date.now() > deadline) {
      const waitsFor = view?.waitsFor.join('; ') ?? 'the controller';
      throw new Error(`the rollout of ${walk.version} does not end; it waits for: ${waitsFor}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** The stages of one walk in the judge's history. */
class Stages {
  readonly #onlooker: Onlooker;
  readonly #walk: Walk;
  readonly #weights: readonly number[];
  readonly #begun: Pending[] = [];
  #converged = 0;
  /** When the last look began, and the one before it. */
  #lookedAt = performance.now();
  #lookedBefore = this.#lookedAt;

  constructor(onlooker: Onlooker, walk: Walk) {
    this.#onlooker = onlooker;
    this.#walk = walk;
    this.#weights = [0, ...onlooker.steps];
    this.#begin();
  }

  /** Notes what a look shows that began at `at`. */
  async seen(view: RolloutView, at: number): Promise<void> {
    const reached = this.#reached(view);
    while (this.#begun.length <= reached) this.#begin();
    const served = view.rollout?.stepEverywhere === undefined ? reached - 1 : reached;
    if (this.#converged <= served) {
      const now = await this.#onlooker.probe.afterOneAnswer();
      for (; this.#converged <= served; this.#converged += 1) this.#begun[this.#converged]?.converged(now);
    }
    this.#lookedBefore = this.#lookedAt;
    this.#lookedAt = at;
  }

  /** All default traffic is where it was, as the last look has shown, and the one before has not. */
  async back(): Promise<void> {
    const { world, history, probe } = this.#onlooker;
    const { baseline, active } = this.#walk;
    const stage = { from: baseline, to: baseline, weight: 100, active };
    const pending = history.begin({ stage, at: this.#lookedBefore });
    await world.inSync();
    pending.converged(await probe.afterOneAnswer());
  }

  #begin(): void {
    const { baseline: from, version: to, active } = this.#walk;
    const weight = this.#weights[this.#begun.length] ?? 100;
    const stage = { from, to, weight, active };
    this.#begun.push(this.#onlooker.history.begin({ stage, at: this.#lookedAt }));
  }

  /** The index of the last stage that it has come to; -1 while its instances are not ready. */
  #reached({ steps }: RolloutView): number {
    const names = steps
      .filter(({ progress }) => progress !== STEP_PROGRESS.Ahead)
      .map(({ step }) => step?.name ?? '');
    const isReached = (weight: number) => names.includes(weight === 0 ? 'Verify' : `Shift-${weight}`);
    return this.#weights.findLastIndex(isReached);
  }
}

function walked(rollout: Rollout, deciding: readonly string[]): Walked {
  const { id, state, step, because, endedAt, delegates } = rollout;
  if (endedAt === undefined) throw new Error(`${id} has not ended`);
  return {
    id,
    outcome: wordOf(ROLLOUT_STATE, state),
    step: step?.name ?? '',
    because,
    deciding,
    decidedAt: timestampMs(endedAt),
    ...(delegates && { delegates: { ready: delegates.ready, expected: delegates.expected } }),
  };
}

/** Absent while there is no controller, and before the first rollout. */
async function look(world: Asked, service: string): Promise<RolloutView | undefined> {
  return world.call('getRollout', { service }).then(
    ({ view }) => view,
    () => undefined,
  );
}

async function lastEvent(world: Onlooker['world']): Promise<bigint> {
  const { events } = await world.call('listEvents', { limit: 1 });
  return events.at(-1)?.sequence ?? 0n;
}

/** Shows what was decided after an event, each decision once, and who is missing while delegates are waited for. */
function teller(screen: Onlooker['screen'], after: bigint): (view: RolloutView) => void {
  let told = after;
  let awaited = '';
  return ({ rollout, decisions, delegates }) => {
    if (delegates !== undefined && rollout?.step?.kind === ROLLOUT_STEP.Register && delegates.expected > 0) {
      const { ready, expected, missing } = delegates;
      const boxes = missing.map(({ box }) => box).toSorted();
      const now = `${ready} of ${expected}, without ${boxes.join(' ')}`;
      const why = missing.map(({ box, reason }) => `${box} (${reason})`).toSorted();
      const who = why.length === 0 ? '' : `; missing: ${why.join(', ')}`;
      if (now !== awaited) screen.say(`delegates at ${rollout.version}: ${ready}/${expected}${who}`);
      awaited = now;
    }
    for (const { sequence, actor, action, message } of decisions) {
      if (sequence <= told) continue;
      told = sequence;
      if (actor === 'controller') screen.say(`> ${action}: ${message}`);
    }
  };
}
