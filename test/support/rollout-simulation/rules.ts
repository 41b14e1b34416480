/**
 * The rules that must hold in every simulated rollout, checked at each commit against what was measured and seen, not
 * against what the plan concluded from it.
 */
import type { Check } from '../../../src/model/check.ts';
import type { Measurement } from '../../../src/model/measurement.ts';
import { isOpen, type RolloutRecord, type RolloutStep, stepName } from '../../../src/model/rollout.ts';
import { findVersion, type ServiceRecord } from '../../../src/model/state.ts';
import { LEAVING_LIMIT } from '../../../src/rollout/plan-delegates.ts';
import { ROLLOUT_TRANSITIONS } from '../../../src/rollout/states.ts';
import { ALLOWED_TRANSITIONS } from '../../../src/rollout/transition.ts';
import type { Committed } from './committed.ts';
import { delegateFault, heldBackFault } from './delegate-rules.ts';
import { INSTANCES_EACH } from './fleet.ts';
import { primaryServiceFault } from './primary-service-rules.ts';
import type { SimulatedWorld } from './world.ts';

/** Throws an Error that names the rule and the commit that broke it. */
export function holdRules(world: SimulatedWorld, committed: Committed): void {
  onePrimary(committed);
  statesAsDrawn(committed);
  if (committed.by !== 'controller') return;
  gatesBeforeTraffic(world, committed);
  const tooMany = heldBackFault(world, committed);
  if (tooMany !== undefined) broken(tooMany, committed);
  const serviceFault = primaryServiceFault(committed);
  if (serviceFault !== undefined) broken(serviceFault, committed);
  tenantsMoveOneWay(committed);
  retireInOrder(world, committed);
  wayBackStays(committed);
}

function broken(rule: string, { before, after, actions }: Committed): never {
  const show = ({ traffic, versions, rollout, freeze }: ServiceRecord): string =>
    JSON.stringify({ traffic, versions, rollout: { ...rollout, policy: '' }, freeze });
  throw new Error(
    `${rule}\nbefore ${show(before)}\nafter ${show(after)}\nactions ${JSON.stringify(actions)}`,
  );
}

function onePrimary(committed: Committed): void {
  const { traffic, versions } = committed.after;
  if (traffic.kind === 'none') return broken('a primary is never lost', committed);
  const primaries = versions.filter(({ state }) => state === 'Primary').map(({ name }) => name);
  if (primaries.length !== 1 || primaries[0] !== traffic.primary) {
    broken('there is exactly one primary, and it is the one with the traffic', committed);
  }
}

function statesAsDrawn(committed: Committed): void {
  const { before, after } = committed;
  for (const { name, state } of after.versions) {
    const was = findVersion(before, name)?.state;
    // One commit may hold several actions, each of them allowed.
    if (was !== undefined && was !== state && !reaches(was, state)) {
      broken(`${name} went from ${was} to ${state}`, committed);
    }
  }
  const [was, is] = [before.rollout, after.rollout];
  if (was === undefined || is === undefined || was.id !== is.id || was.state === is.state) return;
  if (!ROLLOUT_TRANSITIONS[was.state].includes(is.state)) {
    broken(`the rollout went from ${was.state} to ${is.state}`, committed);
  }
}

function reaches(from: keyof typeof ALLOWED_TRANSITIONS, to: keyof typeof ALLOWED_TRANSITIONS): boolean {
  const next = ALLOWED_TRANSITIONS[from];
  return next.includes(to) || next.some((between) => ALLOWED_TRANSITIONS[between].includes(to));
}

/** Rules 2 and 10. */
function gatesBeforeTraffic(world: SimulatedWorld, committed: Committed): void {
  const { before, after, observed } = committed;
  const { rollout } = before;
  if (rollout === undefined || shareOf(after, rollout) <= shareOf(before, rollout)) return;
  // The end of a share that was given by hand gives it back to the primary, ready or not.
  if (before.traffic.kind === 'shifting' && before.traffic.primary === rollout.version) return;
  const ready = observed.instances.filter(
    ({ version, state }) => version === rollout.version && state === 'Ready',
  ).length;
  if (ready === 0) broken('rule 2: default traffic moved to a version without a ready endpoint', committed);
  if (rollout.step.kind === 'Deploy' && ready < INSTANCES_EACH) {
    broken('a rollout left Deploy before all instances were ready', committed);
  }
  const { freeze } = before;
  if (freeze !== undefined && (freeze.until === undefined || freeze.until > world.now)) {
    broken('traffic moved forward although it is frozen', committed);
  }
  // A pause of a gate ends by itself, when what it waits for comes.
  const endsByItself = rollout.stateReason === 'Approval' || rollout.stateReason === 'DelegatesMissing';
  if (rollout.state === 'Paused' && !endsByItself) {
    broken('a paused rollout moved traffic forward', committed);
  }
  if (findVersion(before, rollout.version)?.fenced === true) {
    broken('default traffic moved to a fenced version', committed);
  }
  const fault = delegateFault(world, committed);
  if (fault !== undefined) broken(fault, committed);
  const isWaived = rollout.fullyPromotedBy !== undefined || rollout.promoted.includes(stepName(rollout.step));
  if (!isWaived) requirePassed(world, committed, rollout);
  const { step } = after.rollout ?? rollout;
  if (!isWaived && wantsApproval(rollout, step) && !rollout.promoted.includes(stepName(step))) {
    broken('a step that wants an approval was taken without', committed);
  }
}

function wantsApproval({ policy }: RolloutRecord, step: RolloutStep): boolean {
  const { promotion, approvals } = policy.traffic;
  return promotion === 'Manual' || (step.kind === 'Shift' && approvals.includes(step.weight));
}

/** Every critical check of the step that is left was measured well often enough, in this attempt, on real data. */
function requirePassed(world: SimulatedWorld, committed: Committed, rollout: RolloutRecord): void {
  const { step } = rollout;
  const isUnchecked = step.kind === 'Deploy' || step.kind === 'Register';
  const kind = step.kind === 'Verify' ? 'Verify' : isUnchecked ? undefined : 'Shift';
  if (kind === undefined) return;
  for (const check of rollout.policy.verification?.checks ?? []) {
    if (!check.at.includes(kind) || !check.critical || check.dryRun) continue;
    const made = world.measurements.filter(
      (one) =>
        one.rollout === rollout.id &&
        one.attempt === rollout.attempt &&
        one.step === stepName(step) &&
        one.check === check.name,
    );
    const good = made.filter((one) => isGood(one, check)).length;
    const bad = made.filter((one) => isMeasured(one, check) && !isGood(one, check)).length;
    if (bad > check.failureLimit) broken(`rule 2: ${check.name} had failed ${bad} times`, committed);
    if (good + bad < check.count || good === 0) {
      broken(`rule 10: ${check.name} was measured ${good + bad} times of ${check.count}`, committed);
    }
  }
}

function isMeasured({ outcome }: Measurement, check: Check): boolean {
  return (
    outcome.kind === 'Data' &&
    outcome.data.kind === 'ratio' &&
    outcome.data.candidate.total >= check.minimumSamples
  );
}

function isGood(measurement: Measurement, check: Check): boolean {
  const { outcome } = measurement;
  if (!isMeasured(measurement, check) || outcome.kind !== 'Data' || outcome.data.kind !== 'ratio')
    return false;
  const { events, total } = outcome.data.candidate;
  return events / total >= 0.99;
}

/** Rule 3: within a shift the controller only raises the weight, and the salt stays. */
function tenantsMoveOneWay(committed: Committed): void {
  const { before, after } = committed;
  const { rollout } = after;
  const isOver = rollout === undefined || !isOpen(rollout.state);
  if (before.traffic.kind !== 'shifting' || isOver) return;
  if (after.traffic.kind === 'shifting') {
    if (after.traffic.salt !== before.traffic.salt)
      broken('rule 3: the salt changed within a shift', committed);
    if (after.traffic.weight < before.traffic.weight) {
      broken('rule 3: the weight fell although the rollout goes on', committed);
    }
  }
}

/** Rule 8. */
function retireInOrder(world: SimulatedWorld, committed: Committed): void {
  const { before, after, observed } = committed;
  for (const { name, state, retirement } of after.versions) {
    const was = findVersion(before, name);
    if (was === undefined || retirement?.step === was.retirement?.step) continue;
    if (retirement !== undefined && was.retirement === undefined) {
      const work = observed.work.get(name);
      const isEmpty = was.state === 'Drained' && work?.fenceConfirmed === true && work.open === 0;
      const wasCounted = was.state === 'Drained';
      if (!isEmpty && !wasCounted) broken(`rule 8: ${name} is retired, and not Drained`, committed);
      if (shareOf(after, { version: name }) > 0)
        broken(`rule 8: ${name} is retired under traffic`, committed);
    }
    if (was.retirement?.step === 'LeavingGoalStates') {
      const isLate = was.retirement.since + LEAVING_LIMIT <= world.now;
      if (observed.leaving?.get(name)?.length !== 0 && !isLate)
        broken(`rule 8: ${name} is refused although delegates still have it`, committed);
    } else if (retirement !== undefined && was.retirement !== undefined) {
      const waiting = observed.removals.get(name)?.waitingFor ?? ['unknown'];
      if (waiting.length > 0)
        broken(`rule 8: ${name} went on although ${waiting.join()} had not followed`, committed);
    }
    if (state === 'Retired' && was.retirement?.step !== 'StoppingInstances') {
      broken(`rule 8: ${name} was retired out of order`, committed);
    }
  }
  for (const { name, state } of after.versions) {
    const work = observed.work.get(name);
    const wasDraining = findVersion(before, name)?.state === 'Draining';
    if (state === 'Drained' && wasDraining && (work?.open !== 0 || !work.fenceConfirmed)) {
      broken(`rule 8: ${name} is Drained without a count of zero behind the fence`, committed);
    }
  }
  if (world.record.versions.length > 60) broken('versions are never forgotten', committed);
}

/** Rule 9: after the flip the baseline stays up and unfenced while the rollout goes on. */
function wayBackStays(committed: Committed): void {
  const { before, after } = committed;
  const { rollout, traffic } = after;
  if (rollout === undefined || !isOpen(rollout.state)) return;
  const isFlipped = traffic.kind === 'steady' && traffic.primary === rollout.version;
  const was = findVersion(before, rollout.baseline);
  const is = findVersion(after, rollout.baseline);
  if (!isFlipped || was === undefined || was.state !== 'Standby' || was.fenced) return;
  if (is?.state !== 'Standby' || is.fenced || is.teardown !== undefined) {
    broken(`rule 9: ${rollout.baseline}, the way back, was taken away`, committed);
  }
}

function shareOf({ traffic }: ServiceRecord, { version }: Pick<RolloutRecord, 'version'>): number {
  if (traffic.kind === 'none') return 0;
  if (traffic.primary === version) return traffic.kind === 'shifting' ? 100 - traffic.weight : 100;
  return traffic.kind === 'shifting' && traffic.candidate === version ? traffic.weight : 0;
}
