/** verify and replay: what the checks say of a version now, and what another policy would have said. Neither changes anything. */
import { measure } from '../controller/measure.ts';
import { instancesOf } from '../controller/runtimes.ts';
import { instant } from '../model/instant.ts';
import type { Measurement } from '../model/measurement.ts';
import { type RolloutId, type RolloutRecord, rolloutId, type StepName } from '../model/rollout.ts';
import type { VerificationSpec } from '../model/spec.ts';
import type { ServiceRecord } from '../model/state.ts';
import { policyOf } from '../rollout/start.ts';
import { checkRun } from '../verification/check-run.ts';
import { gateVerdict } from '../verification/gate.ts';
import { judge } from '../verification/judge.ts';
import { replay as replayMeasurements } from '../verification/replay.ts';
import { parseDocuments } from './apply-parse.ts';
import { type OperationContext, requireService, requireVersion } from './context.ts';
import type { ReplayOutcome, ReplayRequest, VerifyOutcome, VerifyRequest } from './rollout-types.ts';
import { OperationError } from './types.ts';

/** Measures every check of a version once. Throws OperationError. */
export async function verify(context: OperationContext, request: VerifyRequest): Promise<VerifyOutcome> {
  const { controller } = context;
  const record = requireService(controller.ledger.records(), request.service);
  const version = requireVersion(record, request.version).name;
  const { verification } = record.spec;
  if (verification === undefined || verification.checks.length === 0) {
    throw new OperationError(
      'FailedPrecondition',
      `${record.name} has no checks: spec.verification.checks is empty`,
    );
  }
  const rollout = dryRollout(record, version);
  const checks = await Promise.all(
    verification.checks.map(async (check) => ({
      check,
      measurement: await measureOnce({ context, record, rollout, check, signal: request.signal }),
    })),
  );
  const now = controller.options.clock.now();
  const runs = checks.map(({ check, measurement }) =>
    checkRun({
      check: { ...check, count: 1 },
      step: check.at[0] ?? 'Verify',
      measurements: [measurement],
      windowFrom: measurement.window.from,
      now,
    }),
  );
  const { passScore, marginalScore } = verification;
  const verdict = gateVerdict({ checks: verification.checks, runs, passScore, marginalScore });
  const { baseline } = rollout;
  return { version, ...(baseline === version ? {} : { baseline }), checks, verdict };
}

async function measureOnce(task: {
  readonly context: OperationContext;
  readonly record: ServiceRecord;
  readonly rollout: RolloutRecord;
  readonly check: VerificationSpec['checks'][number];
  readonly signal: AbortSignal;
}): Promise<Measurement> {
  const { record, rollout, check, signal } = task;
  const { runtimes, metricSource, prober, clock } = task.context.controller.options;
  const now = clock.now();
  const window = { from: instant(Math.max(0, now - check.interval * check.count)), to: now };
  const { queries, outcome } = await measure({
    check,
    record,
    rollout,
    window,
    instances: instancesOf(runtimes, record),
    metricSource,
    prober,
    signal,
  });
  const { version, baseline, service, id } = rollout;
  const step = check.at[0] ?? 'Verify';
  const judgement = judge({ check, step, outcome, earlier: [], version, baseline });
  const key = { rollout: id, attempt: 1, step: 'Verify' as StepName, check: check.name };
  return { ...key, service, version, baseline, at: clock.now(), window, queries, outcome, judgement };
}

/** What measuring wants to know of a rollout, for one that is not under way. */
function dryRollout(record: ServiceRecord, version: VerifyRequest['version']): RolloutRecord {
  const { spec, traffic, name, generation } = record;
  const now = instant(0);
  return {
    id: rolloutId(name, version, generation),
    service: name,
    version,
    baseline: traffic.kind === 'none' ? version : traffic.primary,
    policy: policyOf(spec),
    startedAt: now,
    startedBy: '',
    reason: '',
    urgent: false,
    keeps: [],
    group: [],
    attempt: 1,
    state: 'Progressing',
    stateReason: 'DryRun',
    because: '',
    since: now,
    step: { kind: 'Verify' },
    stepSince: now,
    promoted: [],
  };
}

/** A rollout's measurements, as they were stored. Throws OperationError NotFound. */
export async function storedMeasurements(
  context: OperationContext,
  rollout: RolloutId,
): Promise<readonly Measurement[]> {
  await requireRollout(context, rollout);
  return context.controller.options.store.measurements(rollout);
}

/** Judges a stored rollout's measurements by other checks. Throws OperationError. */
export async function replay(context: OperationContext, request: ReplayRequest): Promise<ReplayOutcome> {
  const rollout = await requireRollout(context, request.rollout);
  const verification = otherPolicy(context, rollout, request);
  const measurements = await storedMeasurements(context, rollout.id);
  if (measurements.length === 0) {
    throw new OperationError('FailedPrecondition', `nothing was measured in ${rollout.id}`);
  }
  return { rollout, ...replayMeasurements({ rollout, measurements, verification }) };
}

async function requireRollout(context: OperationContext, id: RolloutId): Promise<RolloutRecord> {
  const [rollout] = await context.controller.options.store.rollouts({ id, limit: 1 });
  if (rollout !== undefined) return rollout;
  throw new OperationError('NotFound', `there is no rollout ${id}; get rollouts lists them`);
}

function otherPolicy(
  context: OperationContext,
  rollout: RolloutRecord,
  { document }: ReplayRequest,
): VerificationSpec {
  const spec =
    document === undefined
      ? requireService(context.controller.ledger.records(), rollout.service).spec
      : parseDocuments(context, [document]).services[0]?.spec;
  if (spec?.verification !== undefined) return spec.verification;
  throw new OperationError(
    'InvalidArgument',
    `${document?.file ?? rollout.service} has no spec.verification to judge by`,
  );
}
