/** A rollout as an operator sees it: where it is, what it waits for, how each check stands, and the way back. */
import { verdictOf } from '../controller/guards.ts';
import { instancesOf } from '../controller/runtimes.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import { isOpen, type RolloutRecord, stepName } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { actualWeight } from '../report/actual-weight.ts';
import { wayBackProblems } from '../rollout/forward.ts';
import { groupMoves, groupOf } from '../rollout/group.ts';
import { countReady } from '../rollout/observation.ts';
import { hasDelegates, isFlipped, stepsOf } from '../rollout/steps.ts';
import { type Move, walkerOf } from '../rollout/walk.ts';
import { weightOf } from '../routing/table.ts';
import { type OperationContext, requireService } from './context.ts';
import type { RolloutDelegatesView } from './delegate-types.ts';
import type { OpenWorkView, RolloutView, StepView, WayBack } from './rollout-types.ts';
import { OperationError } from './types.ts';

/** The service's rollout that goes on, or its last one. Throws OperationError NotFound where there was none. */
export function rolloutView(context: OperationContext, service: ServiceName): RolloutView {
  const { controller } = context;
  const record = requireService(controller.ledger.records(), service);
  const { rollout } = record;
  if (rollout === undefined) {
    throw new OperationError('NotFound', `${service} has had no rollout yet; deploy a version begins one`);
  }
  const now = controller.options.clock.now();
  // Of a rollout that ended: how they stood then, which is why it did.
  const checks = controller.measurements.runs(rollout, rollout.endedAt ?? now);
  const verdict = verdictOf(rollout, checks);
  const move = ownMove(context, record);
  const delegates = delegatesOf(context, record, rollout);
  const actual = observedWeight(context, record, rollout, now);
  return {
    record: toldNow(rollout, move),
    steps: stepViews(rollout),
    setWeight: weightOf(record.traffic, rollout.version),
    ...(actual === undefined ? {} : { actualWeight: actual }),
    checks,
    ...(verdict === undefined ? {} : { verdict }),
    waitsFor: move?.kind === 'Stay' ? [move.because] : [],
    openWork: openWork(context, record),
    wayBack: wayBack(context, record, rollout),
    ...(delegates === undefined ? {} : { delegates }),
    ...(record.freeze === undefined ? {} : { freeze: record.freeze }),
  };
}

/** Asked while the gate is; afterwards as it last let a step be taken. */
function delegatesOf(
  { controller }: OperationContext,
  record: ServiceRecord,
  rollout: RolloutRecord,
): RolloutDelegatesView | undefined {
  if (!hasDelegates(rollout.policy)) return undefined;
  const isAsked = isOpen(rollout.state) && !isFlipped(record, rollout);
  const parity = isAsked ? controller.observe(record).rollout?.delegates?.parity : undefined;
  const { ready, expected } = parity ?? rollout.delegates ?? { ready: 0, expected: 0 };
  const heldBack = record.holds.filter(({ heldBackBy }) => heldBackBy === rollout.id);
  return {
    ...(parity === undefined ? {} : { parity }),
    ready,
    expected,
    heldBack: heldBack.map(({ tenant }) => tenant),
  };
}

function stepViews(rollout: RolloutRecord): readonly StepView[] {
  const steps = stepsOf(rollout.policy);
  const current = steps.findIndex((step) => stepName(step) === stepName(rollout.step));
  const isDone = rollout.state === 'Succeeded';
  return steps.map((step, index) => {
    if (isDone || index < current) return { step, progress: 'Done' };
    return { step, progress: index === current ? 'Current' : 'Ahead' };
  });
}

function observedWeight(
  { trafficLog }: OperationContext,
  record: ServiceRecord,
  rollout: RolloutRecord,
  now: Instant,
): RolloutView['actualWeight'] {
  return actualWeight(trafficLog.recent(record.name), { candidate: rollout.version, now });
}

/** The record keeps the sentence with which a state began; while that lasts, the one of now is shown. */
function toldNow(rollout: RolloutRecord, move: Move | undefined): RolloutRecord {
  const isSame = move?.kind === 'Stay' && move.state === rollout.state && move.reason === rollout.stateReason;
  return isSame ? { ...rollout, because: move.because } : rollout;
}

/** What it would do next; undefined where it has ended. */
function ownMove({ controller }: OperationContext, record: ServiceRecord): Move | undefined {
  const { rollout } = record;
  if (rollout === undefined || !isOpen(rollout.state)) return undefined;
  const records = groupOf(record, controller.ledger.records().values());
  const walkers = records
    .map((member) => walkerOf(member, controller.observe(member)))
    .filter((walker) => walker !== undefined);
  const moves = groupMoves(walkers, records);
  const own = walkers.find((walker) => walker.record === record);
  return own === undefined ? undefined : moves.get(own);
}

function openWork({ controller }: OperationContext, record: ServiceRecord): readonly OpenWorkView[] {
  return record.versions
    .filter(({ state }) => state === 'Draining' || state === 'Drained')
    .map((version) => {
      const { name } = version;
      const work = controller.activities.observations(record).get(name);
      const certificate = work?.certificate ?? version.certificate;
      const forecast = controller.activities.forecast(record, version);
      return {
        version: name,
        ...(work?.open === undefined ? {} : { open: work.open }),
        problem: work?.problem ?? 'not counted yet',
        ...(forecast.kind === 'Expected' ? { expectedDrained: forecast.at } : {}),
        ...(certificate === undefined ? {} : { certificate }),
        ...(work?.split === undefined ? {} : { split: work.split }),
      };
    });
}

/** Whether the default traffic could be moved back now, and what is in the way. */
function wayBack({ controller }: OperationContext, record: ServiceRecord, rollout: RolloutRecord): WayBack {
  const instances = instancesOf(controller.options.runtimes, record);
  const { baseline } = rollout;
  const { traffic } = record;
  const isPrimary = traffic.kind !== 'none' && traffic.primary === baseline;
  const isGone =
    traffic.kind === 'steady' && traffic.primary === rollout.version && traffic.previous === undefined;
  const problems = isGone
    ? [`${rollout.version} was itself reached by a rollback, or its way back was given up`]
    : wayBackProblems(record, rollout, { instances });
  return {
    isReady: problems.length === 0,
    to: baseline,
    readyEndpoints: countReady(instances, baseline),
    problems: isPrimary && problems.length > 0 ? [...problems, `${baseline} is the primary`] : problems,
  };
}
