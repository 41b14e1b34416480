/** What operators do to a simulated rollout, at random and often at the wrong time; what the rules refuse is refused. */
import { versionName } from '../../../src/model/names.ts';
import { isOpen } from '../../../src/model/rollout.ts';
import { findVersion, isActive, type ServiceRecord } from '../../../src/model/state.ts';
import { endRollout } from '../../../src/rollout/advance.ts';
import { wayBackProblems } from '../../../src/rollout/forward.ts';
import { countReady } from '../../../src/rollout/observation.ts';
import { movedBack, overridden, paused, resumed } from '../../../src/rollout/override.ts';
import { promoted } from '../../../src/rollout/promote.ts';
import { retryRollout, startRollout } from '../../../src/rollout/start.ts';
import { isAfterFlip } from '../../../src/rollout/steps.ts';
import {
  endShift,
  ForbiddenTransitionError,
  flipTo,
  giveUpPrevious,
  moveVersion,
  replaceVersion,
  rollBack,
  shiftTo,
} from '../../../src/rollout/transition.ts';
import { at } from './fleet.ts';
import type { SimulatedWorld } from './world.ts';

type Deed = (world: SimulatedWorld) => ServiceRecord | undefined;

const by = 'operator';

/** Wants a version that nobody has seen before. */
export function deployNext(world: SimulatedWorld, name: string): void {
  const version = versionName(name);
  world.introduce(version);
  const { record } = world;
  const spec = { ...record.spec, version };
  const wished = { ...record, spec, generation: record.generation + 1 };
  world.commit(startRollout(wished, start(world)), 'operator');
}

/** Does something, or finds that it is refused. */
export function interfere(world: SimulatedWorld): void {
  try {
    const after = world.chance.of(DEEDS)(world);
    if (after !== undefined && after !== world.record) world.commit(after, 'operator');
  } catch (error) {
    if (!(error instanceof ForbiddenTransitionError)) throw error;
  }
}

/** What a person does at last for a rollout that waits for one: lets it go on where it may, else ends it. */
export function settle(world: SimulatedWorld): void {
  const { freeze: _over, ...thawed } = world.record;
  const { rollout } = thawed;
  if (rollout === undefined || !isOpen(rollout.state)) return;
  if (rollout.stateReason === 'RetentionMax') makeRoom(world);
  if (rollout.stateReason === 'OtherShift' || rollout.stateReason === 'RetentionMax') {
    world.commit(endShift(world.record, { now: at(world.now), reason: 'ShiftEnded' }), 'operator');
  }
  if (rollout.state !== 'Paused' && rollout.state !== 'Inconclusive') return;
  // What is unknown of the delegates although everything is healed stays so: a person answers for them.
  const isForPerson = rollout.stateReason === 'Approval' || rollout.stateReason === 'DelegatesUnknown';
  const going = isForPerson ? promote(world, false) : resume(world);
  if (going !== undefined) world.commit(going, 'operator');
}

/**
 * Gives up the ways back that are kept for a version that has not succeeded; where none is, all ways back: a service that
 * keeps as many versions as it may have at most has no room for another one.
 */
function makeRoom(world: SimulatedWorld): void {
  const { rollout, versions } = world.record;
  const kept = rollout?.keeps ?? [];
  for (const { name, state } of versions) {
    const isGivenUp = state === 'Standby' && (kept.length === 0 || kept.includes(name));
    if (!isGivenUp) continue;
    const change = { now: at(world.now), reason: 'Fenced' };
    const drained = moveVersion(giveUpPrevious(world.record, name), {
      version: name,
      to: 'Draining',
      change,
    });
    const teardown = { since: at(world.now), because: 'an operator makes room' };
    const fenced = findVersion(drained, name);
    if (fenced !== undefined) world.commit(replaceVersion(drained, { ...fenced, teardown }), 'operator');
  }
}

function start(world: SimulatedWorld) {
  const { chance } = world;
  return { by, reason: 'simulated', urgent: chance.in(0.1), now: at(world.now), group: [] };
}

function resume(world: SimulatedWorld): ServiceRecord | undefined {
  const { record } = world;
  if (record.rollout?.state !== 'Paused' && record.rollout?.state !== 'Inconclusive') return undefined;
  if (record.rollout.stateReason === 'Approval') return undefined;
  const rollout = resumed(record, by, at(world.now));
  return rollout === undefined ? undefined : { ...record, rollout };
}

function promote(world: SimulatedWorld, full: boolean): ServiceRecord | undefined {
  const { record } = world;
  if (record.rollout === undefined || !isOpen(record.rollout.state)) return undefined;
  const rollout = promoted(record.rollout, { by, reason: 'because', full, now: at(world.now) });
  return { ...record, rollout };
}

function abort(world: SimulatedWorld): ServiceRecord | undefined {
  const { record } = world;
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return undefined;
  const isFlipped = isAfterFlip(rollout.step);
  const instances = world.fleet.instances(record, world.now);
  if (isFlipped && wayBackProblems(record, rollout, { instances }).length > 0) return undefined;
  const state = isFlipped ? 'RolledBack' : 'Aborted';
  return endRollout(record, { state, reason: 'Operator', because: '', isBad: false, now: at(world.now) });
}

function someVersion(world: SimulatedWorld) {
  const { record, chance, now } = world;
  const instances = world.fleet.instances(record, now);
  const fit = record.versions.filter(
    ({ name, state, fenced, retirement }) =>
      isActive(state) && !fenced && retirement === undefined && countReady(instances, name) > 0,
  );
  return fit.length === 0 ? undefined : chance.of(fit).name;
}

const DEEDS: readonly Deed[] = [
  resume,
  resume,
  abort,
  (world) => promote(world, false),
  (world) => promote(world, world.chance.in(0.2)),
  ({ record, now }) =>
    record.rollout === undefined || !isOpen(record.rollout.state)
      ? undefined
      : { ...record, rollout: paused(record.rollout, '', at(now)) },
  ({ record, now }) => {
    const change = { now: at(now), reason: 'RolledBack' };
    return movedBack(record, rollBack(record, undefined, change), { by, what: 'rollback', now: at(now) });
  },
  (world) => {
    const { record, now } = world;
    const version = someVersion(world);
    if (version === undefined || record.freeze !== undefined) return undefined;
    if (record.traffic.kind === 'steady' && record.traffic.primary === version) return undefined;
    const flipped = flipTo(record, version, { now: at(now), reason: 'Flipped' });
    return overridden(record, flipped, { by, what: 'flip', now: at(now) });
  },
  (world) => {
    const { record, now, chance } = world;
    const candidate = someVersion(world);
    if (candidate === undefined || record.freeze !== undefined) return undefined;
    const change = { now: at(now), reason: 'Shifting' };
    const shifted = shiftTo(record, { candidate, weight: chance.between(1, 99), change });
    return overridden(record, shifted, { by, what: 'set-weight', now: at(now) });
  },
  ({ record, now, chance }) => ({
    ...record,
    freeze: { by, reason: '', since: at(now), until: at(now + chance.between(10, 100) * 1_000) },
  }),
  ({ record }) => {
    const { freeze: _over, ...rest } = record;
    return record.freeze === undefined ? undefined : rest;
  },
  ({ record, now }) => (record.rollout === undefined ? undefined : retryRollout(record, at(now))),
];
