/** The rollouts of a simulated service: they begin, flip when the gate lets them, end well or badly, and old versions go. */
import { beginWaves } from '../../../src/goalstate/waves.ts';
import { type VersionName, versionName } from '../../../src/model/names.ts';
import { isOpen, type RolloutState, rolloutId } from '../../../src/model/rollout.ts';
import type { ServiceRecord, VersionRecord } from '../../../src/model/state.ts';
import { aVersion } from '../records.ts';
import { aRollout } from '../rollouts.ts';
import { TICK } from './setting.ts';
import type { SimulatedWorld } from './world.ts';

/** After the flip. */
const SOAK = 20 * TICK;

export function startRollout(world: SimulatedWorld, name: string, hasArtifact: boolean): void {
  const { record, delegates } = world.stored;
  if (record.traffic.kind !== 'steady') return;
  const version = versionName(name);
  const id = rolloutId(record.name, version, record.generation);
  const now = world.at();
  const urgent = world.chance.in(0.1);
  const baseline = record.traffic.primary;
  const rollout = aRollout({ id, version, baseline, startedAt: now, stepSince: now, since: now, urgent });
  if (hasArtifact) world.publishArtifact(version);
  const waves = beginWaves({ rollout: id, candidate: version, waves: world.spec.waves, now });
  world.stored = { record: world.stored.record, delegates };
  world.commit({
    record: {
      ...record,
      generation: record.generation + 1,
      versions: [...record.versions, aVersion(name)],
      rollout,
    },
    delegates: { ...delegates, waves: [...delegates.waves, waves] },
  });
}

/** Goes on with the rollout as the gate says, and with the versions that are to go. */
export function advanceRollout(world: SimulatedWorld): void {
  const { rollout } = world.stored.record;
  if (rollout !== undefined && isOpen(rollout.state)) {
    if (rollout.step.kind === 'Soak') {
      const isOver = rollout.stepSince + SOAK <= world.now;
      if (isOver) endRollout(world, world.chance.in(0.8) ? 'Succeeded' : 'RolledBack');
    } else passGate(world);
  }
  retireOld(world);
}

function passGate(world: SimulatedWorld): void {
  switch (world.verdict?.verdict.kind) {
    case 'Passed':
    case 'HoldBack':
    case 'Proceed':
      return flip(world);
    case 'Fail':
      return endRollout(world, 'Failed');
    case 'Pause':
      // Somebody looks at it.
      if (world.chance.in(0.9)) return;
      return world.chance.in(0.5) ? flip(world) : endRollout(world, 'Aborted');
    case 'Waiting':
    case 'Unknown':
    case undefined:
      return;
  }
}

function flip(world: SimulatedWorld): void {
  const { record } = world.stored;
  const { rollout } = record;
  if (rollout === undefined) return;
  const { version, baseline } = rollout;
  world.commit({
    record: {
      ...record,
      traffic: { kind: 'steady', primary: version, previous: baseline },
      versions: record.versions.map((one) =>
        one.name === version
          ? { ...one, state: 'Primary', lastPrimary: world.at() }
          : one.state === 'Primary'
            ? { ...one, state: 'Standby' }
            : one,
      ),
      rollout: { ...rollout, step: { kind: 'Soak' }, stepSince: world.at() },
    },
  });
}

export function endRollout(world: SimulatedWorld, state: RolloutState): void {
  const { record } = world.stored;
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return;
  const isBack = state === 'RolledBack';
  const isBad = state !== 'Succeeded' && world.chance.in(0.7);
  const versions = record.versions.map((one): VersionRecord => {
    if (one.name === rollout.version && isBad) return { ...one, state: 'Draining', since: world.at() };
    if (isBack && one.name === rollout.version) return { ...one, state: 'Standby' };
    return isBack && one.name === rollout.baseline ? { ...one, state: 'Primary' } : one;
  });
  const traffic: ServiceRecord['traffic'] = isBack
    ? { kind: 'steady', primary: rollout.baseline }
    : record.traffic;
  world.commit({
    record: { ...record, traffic, versions, rollout: { ...rollout, state, endedAt: world.at() } },
  });
}

/** Versions that nobody needs are drained, then retired, then gone. */
function retireOld(world: SimulatedWorld): void {
  const { record } = world.stored;
  const { traffic, rollout } = record;
  if (traffic.kind === 'none') return;
  const isOngoing = rollout !== undefined && isOpen(rollout.state);
  const kept: (VersionName | undefined)[] = [traffic.primary, traffic.previous];
  if (isOngoing) kept.push(rollout.version, rollout.baseline);
  const next = record.versions.flatMap((one): readonly VersionRecord[] => {
    if (kept.includes(one.name) || !world.chance.in(0.03)) return [one];
    const since = world.at();
    if (one.state === 'Standby') return [{ ...one, state: 'Draining', since }];
    if (one.state === 'Draining') return [{ ...one, state: 'Drained', since }];
    if (one.state === 'Retired') return [];
    if (one.retirement !== undefined) return [{ ...one, state: 'Retired', since }];
    return [{ ...one, retirement: { step: 'Refusing', since, waiveStragglers: false } }];
  });
  const isSame =
    next.length === record.versions.length && next.every((one, at) => one === record.versions[at]);
  if (!isSame) world.commit({ record: { ...record, versions: next } });
}
