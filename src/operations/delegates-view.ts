/** What operators see of delegates: boxes with their versions, by watcher and by registration; and how waves go. */

import { followWaves } from '../controller/goal-states.ts';
import { isAdmitted, waveOf } from '../goalstate/admission.ts';
import { isForeign, NO_DELEGATES } from '../goalstate/generation.ts';
import { connectedIn } from '../goalstate/roll.ts';
import { progressOf } from '../goalstate/wave-boxes.ts';
import { planWaves } from '../goalstate/waves.ts';
import type { DelegateAnswer } from '../model/delegates.ts';
import type { BoxVersionState, WatcherRecord } from '../model/goal-state.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import { decommissionedBoxes, type WavesRecord } from '../model/waves.ts';
import type { DelegateId, DelegateRegistration } from '../model/workflow.ts';
import { compareText } from '../routing/compare.ts';
import { type OperationContext, requireService } from './context.ts';
import type {
  BoxVersionView,
  BoxView,
  DelegateNumbers,
  DelegatesView,
  GoalStatesView,
  VersionDelegates,
  WavesView,
  WaveView,
} from './delegate-types.ts';

/** The delegates of a service. Throws OperationError NotFound. */
export function delegatesView(context: OperationContext, service: ServiceName): DelegatesView {
  const { controller } = context;
  const record = requireService(controller.ledger.records(), service);
  const answer = controller.rosters.answer(record);
  const watchers = controller.fleet.byId(service);
  const { current } = record.delegates ?? NO_DELEGATES;
  return {
    service,
    boxes: boxViews(record, watchers, answer),
    versions: versionDelegates(record, watchers, answer),
    waves: wavesViews(context, record),
    generation: current.generation,
    problems: problemsOf(record, watchers, answer),
  };
}

/** The waves of a service's candidates. Throws OperationError NotFound. */
export function wavesView(context: OperationContext, service: ServiceName): readonly WavesView[] {
  return wavesViews(context, requireService(context.controller.ledger.records(), service));
}

/** What boxes were told. Throws OperationError NotFound. */
export function goalStatesView({ controller }: OperationContext, service: ServiceName): GoalStatesView {
  const { delegates = NO_DELEGATES, artifacts = [] } = requireService(controller.ledger.records(), service);
  return { current: delegates.current, past: delegates.past, artifacts };
}

/** The delegates of a service in numbers; undefined where nobody runs any. */
export function delegateNumbers(
  { controller }: OperationContext,
  service: ServiceName,
): DelegateNumbers | undefined {
  const record = requireService(controller.ledger.records(), service);
  const watchers = controller.fleet.byId(service);
  const isNone = record.spec.delegates.source.kind === 'none' && record.delegates === undefined;
  if (isNone && watchers.size === 0) return undefined;
  const connected = [...watchers.values()].filter(({ isConnected }) => isConnected).length;
  const { current, waves } = record.delegates ?? NO_DELEGATES;
  return {
    watchers: { connected, away: watchers.size - connected },
    generation: current.generation,
    halted: waves.filter(({ halt }) => halt !== undefined).length,
    versions: versionDelegates(record, watchers, controller.rosters.answer(record)),
  };
}

function problemsOf(
  { spec, delegates = NO_DELEGATES }: ServiceRecord,
  watchers: ReadonlyMap<DelegateId, WatcherRecord>,
  answer: DelegateAnswer,
): string[] {
  const isAsked = spec.delegates.source.kind !== 'none';
  const untold = answer.kind === 'counted' ? answer.unknown : [];
  const untaught = [...watchers.values()].filter(({ report }) =>
    isForeign(delegates, Math.max(report.seen, report.applied)),
  );
  return [
    ...(isAsked && answer.kind === 'unknown' ? [`who is connected is not known: ${answer.reason}`] : []),
    ...untold.map(({ version, reason }) => `who is connected to ${version} is not known: ${reason}`),
    ...(untaught.length === 0
      ? []
      : [
          `${untaught.length} of ${watchers.size} boxes have seen generations that are not of this controller (${delegates.current.generation} holds here): it was restored from an older state; they are told nothing until \`delegates reassert\``,
        ]),
  ];
}

function registrations(answer: DelegateAnswer): readonly DelegateRegistration[] {
  if (answer.kind !== 'named') return [];
  return connectedIn(answer);
}

function boxViews(
  record: ServiceRecord,
  watchers: ReadonlyMap<DelegateId, WatcherRecord>,
  answer: DelegateAnswer,
): readonly BoxView[] {
  const decommissioned = decommissionedBoxes(record.delegates ?? NO_DELEGATES);
  const registered = Map.groupBy(registrations(answer), ({ delegate }) => delegate);
  const ids = new Set([...watchers.keys(), ...registered.keys()]);
  const boxes = [...ids].flatMap((delegate): BoxView[] => {
    const watcher = watchers.get(delegate);
    const own = registered.get(delegate) ?? [];
    const tenant = watcher?.identity.tenant ?? own[0]?.tenant;
    if (tenant === undefined) return [];
    return [
      {
        delegate,
        tenant,
        ...(watcher === undefined ? {} : { watcher }),
        versions: boxVersions(record, watcher, own),
        isDecommissioned: decommissioned.has(delegate),
      },
    ];
  });
  return boxes.toSorted((one, other) =>
    compareText(`${one.tenant} ${one.delegate}`, `${other.tenant} ${other.delegate}`),
  );
}

function boxVersions(
  { versions }: ServiceRecord,
  watcher: WatcherRecord | undefined,
  registered: readonly DelegateRegistration[],
): readonly BoxVersionView[] {
  const reported = watcher?.report.versions ?? [];
  const names = new Set([...reported, ...registered].map(({ version }) => version));
  const order = versions.map(({ name }) => name);
  return [...names]
    .toSorted((one, other) => order.indexOf(one) - order.indexOf(other))
    .map((version) => {
      const stands = reported.find((one) => one.version === version);
      const isRegistered = registered.some((one) => one.version === version);
      return { version, ...(stands === undefined ? {} : { stands }), isRegistered };
    });
}

function versionDelegates(
  record: ServiceRecord,
  watchers: ReadonlyMap<DelegateId, WatcherRecord>,
  answer: DelegateAnswer,
): readonly VersionDelegates[] {
  const connected = [...watchers.values()].filter(({ isConnected }) => isConnected);
  return record.versions
    .filter(({ state }) => state !== 'Retired')
    .map(({ name }) => {
      const states = new Map<BoxVersionState, number>();
      for (const { report } of connected) {
        const state = report.versions.find(({ version }) => version === name)?.state;
        if (state !== undefined) states.set(state, (states.get(state) ?? 0) + 1);
      }
      const count = countOf(answer, name);
      return { version: name, states, ...(count === undefined ? {} : { connected: count }) };
    });
}

function countOf(answer: DelegateAnswer, name: VersionName): number | undefined {
  if (answer.kind === 'unknown') return undefined;
  if (answer.kind === 'named') return registrations(answer).filter(({ version }) => version === name).length;
  if (answer.unknown.some(({ version }) => version === name)) return undefined;
  return answer.counts
    .filter(({ version }) => version === name)
    .reduce((sum, { connected }) => sum + connected, 0);
}

function wavesViews({ controller }: OperationContext, record: ServiceRecord): readonly WavesView[] {
  const { delegates = NO_DELEGATES } = record;
  const watchers = controller.fleet.of(record.name);
  const boxes = { watchers, decommissioned: decommissionedBoxes(delegates) };
  return delegates.waves.map((recorded) => {
    const { next, because } = planWaves({
      ...boxes,
      ...followWaves(record, recorded),
      gathering: controller.fleet.gathering(record.name),
      now: controller.options.clock.now(),
    });
    return {
      rollout: next.rollout,
      candidate: next.candidate,
      waves: next.waves.map((_, index) => waveView(next, index, boxes)),
      ...(next.halt === undefined ? {} : { halt: next.halt }),
      because,
      isDone: next.phase === 'Done',
    };
  });
}

function waveView(
  record: WavesRecord,
  index: number,
  boxes: { readonly watchers: readonly WatcherRecord[]; readonly decommissioned: ReadonlySet<DelegateId> },
): WaveView {
  const wave = record.waves[index];
  if (wave === undefined) throw new RangeError(`there is no wave ${index}`);
  const own = boxes.watchers.filter(
    ({ identity }) =>
      waveOf(record.waves, identity.group) === index && !boxes.decommissioned.has(identity.id),
  );
  const admitted = own.filter(({ identity }) => isAdmitted(record, identity));
  const connected = admitted.filter(({ isConnected }) => isConnected);
  const count = (progress: ReturnType<typeof progressOf>): number =>
    connected.filter((watcher) => progressOf(watcher, record.candidate) === progress).length;
  return {
    wave,
    progress: progressAt(record, index),
    boxes: own.length,
    admitted: admitted.length,
    ready: count('Ready'),
    onTheirWay: count('OnItsWay'),
    failed: count('Failed'),
    offline: own.filter(({ isConnected }) => !isConnected).length,
  };
}

function progressAt({ wave, phase }: WavesRecord, index: number): WaveView['progress'] {
  if (phase === 'Done' || index < wave) return 'Done';
  return index > wave ? 'Ahead' : phase;
}
