/** One seeded life of a service: rollouts under random faults, then a calm in which every rollout must come to an end. */
import { isOpen } from '../../../src/model/rollout.ts';
import { Chance } from './chance.ts';
import { deployNext, interfere, settle } from './operator.ts';
import { holdRules } from './rules.ts';
import { SimulatedWorld } from './world.ts';

const TICK = 5_000;
/** Simulated time under faults, and the most that a calm may take until all has ended. */
const TROUBLE = 900_000;
const CALM = 3_600_000;

/** How a life ended. */
export interface Life {
  readonly state: string;
  readonly commits: number;
  readonly measurements: number;
}

/** Lives through the seed. Throws where a rule is broken; the message names the seed. */
export function live(seed: number): Life {
  const world = new SimulatedWorld(new Chance(seed));
  const life = { commits: 0 };
  let wasWaived = false;
  world.onCommit = (committed) => {
    life.commits += 1;
    const { rollout } = committed.after;
    // An operator who promotes, flips or sets weights answers for what follows.
    wasWaived ||= committed.by === 'operator' && committed.before.rollout !== undefined;
    wasWaived ||= rollout?.policy.verification === undefined;
    holdRules(world, committed);
    if (rollout?.state === 'Succeeded' && !wasWaived && !world.hasLied) {
      const guards = rollout.policy.verification?.checks.filter(({ at }) => at.includes('Verify')) ?? [];
      if (guards.length > 0 && world.truths.get(rollout.version) === 'bad') {
        throw new Error(`a bad version Succeeded: ${JSON.stringify(rollout)}`);
      }
    }
  };
  try {
    deployNext(world, 'v2');
    trouble(world);
    calm(world);
  } catch (error) {
    throw new Error(`seed ${seed} at ${world.now / 1_000} s: ${String(error)}`, { cause: error });
  }
  return {
    state: world.record.rollout?.state ?? 'none',
    commits: life.commits,
    measurements: world.measurements.length,
  };
}

function trouble(world: SimulatedWorld): void {
  const { chance } = world;
  const meddling = chance.of([0, 0.01, 0.05]);
  let next = 3;
  for (; world.now < TROUBLE; world.now += TICK) {
    world.fleet.live(world.now);
    world.boxes.live(world.record, world.now, false);
    world.service.live(world.record.traffic, world.now, false);
    if (chance.in(0.02)) {
      world.prometheus = chance.of(['answers', 'answers', 'down', 'nan', 'empty', 'lies']);
    }
    if (chance.in(meddling)) interfere(world);
    if (chance.in(0.003)) {
      deployNext(world, `v${next}`);
      next += 1;
    }
    world.rounds();
  }
}

/** Everything heals and a person settles what waits for one: then nothing may hang. */
function calm(world: SimulatedWorld): void {
  world.fleet.isHealed = true;
  world.prometheus = 'answers';
  const ends = world.now + CALM;
  for (; world.now < ends; world.now += TICK) {
    world.fleet.live(world.now);
    world.boxes.live(world.record, world.now, true);
    world.service.live(world.record.traffic, world.now, true);
    settle(world);
    world.rounds();
    const { rollout } = world.record;
    if (rollout === undefined || !isOpen(rollout.state)) return;
  }
  const { rollout, versions, traffic } = world.record;
  const { policy: _policy, ...shown } = rollout ?? {};
  throw new Error(`the rollout hangs: ${JSON.stringify({ rollout: shown, versions, traffic })}`);
}
