/** One seeded life of a fleet: rollouts under random faults, then a calm in which all waves must come to their end. */
import { isOpen } from '../../../src/model/rollout.ts';
import { decommissionedBoxes } from '../../../src/model/waves.ts';
import { Chance } from '../rollout-simulation/chance.ts';
import { advanceRollout } from './rollouts.ts';
import { FleetRules } from './rules.ts';
import { TICK } from './setting.ts';
import { Trouble } from './trouble.ts';
import { SimulatedWorld } from './world.ts';

const TROUBLE = 200;
/** Waits, windows and the slowest waves fit into this many rounds of calm. */
const CALM = 2_000;

/** How a life ended. */
export interface Life {
  /** Of the last rollout, `none` where there was none. */
  readonly rollout: string;
  /** Where the waves of the last rollout ended. */
  readonly waves: string;
  readonly generations: number;
}

/** Lives through the seed. Throws where a rule is broken; the message names the seed. */
export function live(seed: number): Life {
  const world = new SimulatedWorld(new Chance(seed));
  try {
    return liveIn(world);
  } catch (error) {
    throw new Error(`seed ${seed} at ${world.now / 1_000} s: ${String(error)}`, { cause: error });
  }
}

function liveIn(world: SimulatedWorld): Life {
  const rules = new FleetRules(world);
  world.rules = rules;
  const trouble = new Trouble(world, rules);
  for (let round = 0; round < TROUBLE; round += 1) {
    // The first boxes come up before anything befalls them.
    if (round > 10) trouble.tick();
    tick(world);
  }
  for (let round = 0; round < CALM; round += 1) {
    trouble.settle();
    tick(world);
    if (round > 20 && isAtRest(world)) return lifeOf(world);
  }
  const { record, delegates } = world.stored;
  const boxes = world.boxes.map((box) => ({ id: box.identity.id, ...box.report() }));
  throw new Error(
    `the fleet does not come to rest: ${world.because}; ${JSON.stringify({ record, delegates, verdict: world.verdict, boxes })}`,
  );
}

function tick(world: SimulatedWorld): void {
  world.now += TICK;
  for (const box of world.boxes) box.live(world.now);
  world.round();
  advanceRollout(world);
}

/** The rollout has ended, its waves are at their end where it ended well, and each box runs what it should. */
function isAtRest(world: SimulatedWorld): boolean {
  const { record, delegates } = world.stored;
  const { rollout } = record;
  if (rollout !== undefined && isOpen(rollout.state)) return waitsForOperator(world);
  const waves = delegates.waves.find((one) => one.rollout === rollout?.id);
  if (rollout?.state === 'Succeeded' && waves !== undefined && waves.phase !== 'Done') return false;
  const gone = decommissionedBoxes(delegates);
  return world.boxes.every(({ identity, goal, processes }) => {
    if (gone.has(identity.id)) return goal?.decommission === true && processes.size === 0;
    return goal?.versions.every(({ version }) => processes.get(version)?.state === 'Ready') === true;
  });
}

/** Whose every delegate was decommissioned while its rollout waited: nothing can be known, and a person has to decide. */
function waitsForOperator({ stored: { roll, delegates } }: SimulatedWorld): boolean {
  const gone = decommissionedBoxes(delegates);
  return roll?.kind === 'named' && roll.boxes.every(({ delegate }) => gone.has(delegate));
}

function lifeOf({ stored, generations }: SimulatedWorld): Life {
  const { record, delegates } = stored;
  const waves = delegates.waves.find(({ rollout }) => rollout === record.rollout?.id);
  const stood = waves?.halt === undefined ? waves?.phase : 'Halted';
  return {
    rollout: record.rollout?.state ?? 'none',
    waves: stood ?? 'gone',
    generations,
  };
}
