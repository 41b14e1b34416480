/** Delegates, waves and goal states as messages of the admin API. Pure, like views.ts. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  BoxSchema,
  BoxVersionSchema,
  DelegateParitySchema,
  DelegatesViewSchema,
  GetGoalStatesResponseSchema,
  WatcherSchema,
  WavesSchema,
  WaveViewSchema,
} from '../gen/switchyard/admin/v1/delegates_pb.js';
import type { WatcherRecord } from '../model/goal-state.ts';
import { MISSING_REASONS, type Parity } from '../model/parity.ts';
import type {
  BoxVersionView,
  BoxView,
  DelegatesView,
  GoalStatesView,
  RolloutDelegatesView,
  WavesView,
  WaveView,
} from '../operations/delegate-types.ts';
import { WAVE_PROGRESS } from './enums.ts';

export function delegatesToMessage(view: DelegatesView): MessageInitShape<typeof DelegatesViewSchema> {
  return {
    service: view.service,
    boxes: view.boxes.map(boxToMessage),
    versions: view.versions.map(({ version, connected, states }) => ({
      version,
      ...(connected === undefined ? {} : { connected }),
      states: Object.fromEntries(states),
    })),
    waves: view.waves.map(wavesToMessage),
    generation: BigInt(view.generation),
    problems: [...view.problems],
  };
}

function boxToMessage(box: BoxView): MessageInitShape<typeof BoxSchema> {
  const { delegate, tenant, watcher, versions, isDecommissioned } = box;
  return {
    id: delegate,
    tenant,
    group: watcher?.identity.group ?? '',
    ...(watcher === undefined ? {} : { watcher: watcherToMessage(watcher) }),
    versions: versions.map(boxVersionToMessage),
    decommissioned: isDecommissioned,
  };
}

function watcherToMessage(watcher: WatcherRecord): MessageInitShape<typeof WatcherSchema> {
  const { identity, report, isConnected, lastSeen } = watcher;
  const { windowOpens } = report;
  return {
    connected: isConnected,
    lastSeen: timestampFromMs(lastSeen),
    seen: BigInt(report.seen),
    applied: BigInt(report.applied),
    refusal: report.refusal,
    maxVersions: identity.maxVersions,
    diskFree: BigInt(report.diskFree),
    ...(windowOpens === undefined ? {} : { windowOpens: timestampFromMs(windowOpens) }),
    release: identity.release,
    tags: [...identity.tags],
  };
}

function boxVersionToMessage({
  version,
  stands,
  isRegistered,
}: BoxVersionView): MessageInitShape<typeof BoxVersionSchema> {
  if (stands === undefined) return { version, registered: isRegistered };
  const { state, reason, since, openTasks, restarts } = stands;
  return {
    version,
    state,
    reason,
    since: timestampFromMs(since),
    ...(openTasks === undefined ? {} : { openTasks }),
    restarts,
    registered: isRegistered,
  };
}

export function wavesToMessage(view: WavesView): MessageInitShape<typeof WavesSchema> {
  const { rollout, candidate, waves, halt, because, isDone } = view;
  return {
    rollout,
    candidate,
    waves: waves.map(waveToMessage),
    ...(halt === undefined ? {} : { halt: { ...halt, since: timestampFromMs(halt.since) } }),
    because,
    done: isDone,
  };
}

function waveToMessage(view: WaveView): MessageInitShape<typeof WaveViewSchema> {
  const { wave, progress, ...counts } = view;
  return {
    ...counts,
    name: wave.name,
    groups: [...wave.groups],
    canaries: wave.canaries,
    progress: WAVE_PROGRESS[progress],
  };
}

export function goalStatesToMessage(
  view: GoalStatesView,
): MessageInitShape<typeof GetGoalStatesResponseSchema> {
  const { current, past, artifacts } = view;
  const newest = { ...current, versions: current.versions.map(({ version }) => version) };
  const all = current.generation === 0 ? [] : [newest, ...past];
  return {
    generations: all.map(({ generation, at, because, versions }) => ({
      generation: BigInt(generation),
      at: timestampFromMs(at),
      because,
      versions: [...versions],
    })),
    artifacts: artifacts.map(({ service: _same, size, command, ...artifact }) => ({
      ...artifact,
      size: BigInt(size),
      command: [...command],
    })),
  };
}

/** Missing boxes that a view of a rollout names. */
const NAMED = 200;

export function parityToMessage(view: RolloutDelegatesView): MessageInitShape<typeof DelegateParitySchema> {
  const { parity, ready, expected, heldBack } = view;
  return {
    verdict: parity?.verdict.kind ?? '',
    because: parity?.because ?? '',
    ready,
    expected,
    lines: [...(parity?.lines ?? [])],
    missing: parity === undefined ? [] : missingOf(parity).slice(0, NAMED),
    heldBack: [...heldBack],
  };
}

function missingOf({ tenants }: Parity) {
  const all = tenants.flatMap(({ tenant, missing }) =>
    missing.map(({ delegate, reason, detail }) => ({ tenant, box: delegate ?? '', reason, detail })),
  );
  return all.toSorted(
    (one, other) => MISSING_REASONS.indexOf(one.reason) - MISSING_REASONS.indexOf(other.reason),
  );
}
