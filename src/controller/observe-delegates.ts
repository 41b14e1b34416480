/** What the plan is told of delegates: how the candidate's stand, and who still has a version that leaves the goal states. */

import { NO_DELEGATES } from '../goalstate/generation.ts';
import { parity } from '../goalstate/parity.ts';
import { connectedIn, fixRoll } from '../goalstate/roll.ts';
import type { DelegateAnswer } from '../model/delegates.ts';
import type { WatcherRecord } from '../model/goal-state.ts';
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { Roll } from '../model/parity.ts';
import type { RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';
import { decommissionedBoxes } from '../model/waves.ts';
import type { DelegateId, DelegateRegistration } from '../model/workflow.ts';
import type { DelegatesObservation } from '../rollout/observation.ts';
import { hasDelegates } from '../rollout/steps.ts';
import { wishOfRecord } from './goal-states.ts';

/** What is known of the delegates of a service. */
export interface DelegateFacts {
  readonly record: ServiceRecord;
  readonly answer: DelegateAnswer;
  /** By box; asked for only where somebody waits for delegates. */
  readonly watchers: () => ReadonlyMap<DelegateId, WatcherRecord>;
  readonly now: Instant;
}

/** How the delegates of a rollout's candidate stand; undefined where it waits for none. */
export function observeDelegates(
  facts: DelegateFacts,
  rollout: RolloutRecord,
  roll: Roll | undefined,
): DelegatesObservation | undefined {
  const { record, answer, watchers, now } = facts;
  const spec = rollout.policy.delegates;
  if (spec === undefined || !hasDelegates(rollout.policy) || rollout.step.kind === 'Deploy') return undefined;
  const { version: candidate, baseline, stepSince: startedAt } = rollout;
  const delegates = record.delegates ?? NO_DELEGATES;
  const fixed = rollout.rollFixedAt === undefined ? undefined : roll;
  const newRoll =
    rollout.rollFixedAt === undefined
      ? fixRoll({ answer, baseline, activeWithin: spec.activeWithin, now })
      : undefined;
  return {
    parity: parity({
      roll: fixed,
      answer,
      watchers: watchers(),
      decommissioned: decommissionedBoxes(delegates),
      candidate,
      baseline,
      spec,
      waves: delegates.waves.find((waves) => waves.candidate === candidate),
      leftOut: leftOut(record, candidate),
      startedAt,
      now,
    }),
    ...(newRoll === undefined ? {} : { roll: newRoll }),
  };
}

function leftOut(record: ServiceRecord, candidate: VersionName): string {
  const wish = wishOfRecord(record, record.delegates ?? NO_DELEGATES);
  return wish.leftOut.find(({ version }) => version === candidate)?.reason ?? '';
}

/** Who that is connected still has a version that leaves the goal states; versions of which that is not known are absent. */
export function observeLeaving(facts: DelegateFacts): ReadonlyMap<VersionName, readonly string[]> {
  const leaving = facts.record.versions.filter(({ retirement }) => retirement?.step === 'LeavingGoalStates');
  return new Map(
    leaving.flatMap((version) => {
      const left = whoHas(facts, version);
      return left === undefined ? [] : [[version.name, left] as const];
    }),
  );
}

function whoHas(facts: DelegateFacts, version: VersionRecord): readonly string[] | undefined {
  const { record, answer, now } = facts;
  const watchers = facts.watchers();
  const connected = [...watchers.values()].filter(({ isConnected }) => isConnected);
  const having = connected.filter((watcher) => hasVersion(watcher, version.name));
  if (record.spec.delegates.source.kind === 'none') return having.map(({ identity }) => identity.id);
  const since = version.retirement?.since ?? now;
  if (answer.kind === 'unknown' || answer.asOf < since) {
    return connected.length > 0 && having.length === 0 ? [] : undefined;
  }
  if (answer.kind === 'counted') {
    const counted = answer.counts.filter(
      ({ version: of, connected: count }) => of === version.name && count > 0,
    );
    return counted.map(({ tenant, connected: count }) => `${count} of ${tenant}`);
  }
  return connectedIn(answer)
    .filter((one) => one.version === version.name)
    .filter((one) => !hasDropped(watchers.get(one.delegate), one, version.name))
    .map(({ delegate }) => delegate);
}

/** A registration may be a minute old; the box's watcher, where it reports now, knows better. */
function hasDropped(
  watcher: WatcherRecord | undefined,
  { tenant }: DelegateRegistration,
  version: VersionName,
): boolean {
  const isOwn = watcher?.identity.tenant === tenant;
  return isOwn && watcher.isConnected && !hasVersion(watcher, version);
}

function hasVersion({ report }: WatcherRecord, name: VersionName): boolean {
  return report.versions.some(({ version }) => version === name);
}
