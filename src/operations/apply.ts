/**
 * apply: documents in, wishes recorded. All documents are parsed and checked together before anything is written, and
 * they are written in one commit: nothing is applied in part.
 */
import type { Records } from '../controller/ledger.ts';
import { wantVersions } from '../controller/runtimes.ts';
import type { NewAuditEvent } from '../model/audit.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { DocumentProblem } from '../model/problem.ts';
import type { VersionedService } from '../model/spec.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import { changedPart } from '../rollout/record.ts';
import { startRollout } from '../rollout/start.ts';
import { takenUp } from '../rollout/taken-up.ts';
import { diffServices } from '../spec/diff.ts';
import { effectsOf, forbiddenChanges } from './apply-effects.ts';
import { type ParsedDocuments, parseDocuments } from './apply-parse.ts';
import { checkGeneration, type OperationContext, refuse, replacedEvents, requireActor } from './context.ts';
import { requireRoomForServices } from './room.ts';
import { type ApplyOutcome, type ApplyRequest, OperationError, type ServiceChange } from './types.ts';

interface Planned {
  readonly change: ServiceChange;
  /** Absent where nothing changes. */
  readonly record?: ServiceRecord;
  readonly events?: readonly NewAuditEvent[];
}

/** Records what the documents wish. Throws OperationError InvalidArgument with every problem, or Aborted. */
export async function apply(context: OperationContext, request: ApplyRequest): Promise<ApplyOutcome> {
  const { controller } = context;
  requireActor(request);
  const parsed = parseDocuments(context, request.documents);
  const now = controller.options.clock.now();
  const { changes: planned, warnings: together } = await controller.ledger.change((records) => {
    const { changes, warnings } = planAll({ records, parsed, request, now });
    const services = changes.flatMap(({ record }) => (record === undefined ? [] : [record]));
    const events = changes.flatMap(({ events: told }) => told ?? []);
    const write = services.length > 0 && !request.dryRun;
    return { ...(write ? { commit: { services, events } } : {}), result: { changes, warnings } };
  });
  const changes = planned.map(({ change }) => change);
  const warnings = [...parsed.warnings, ...together];
  if (request.dryRun) return { changes, warnings, publication: 0 };
  await startWanted(context, planned);
  if (!controller.publications.isOpen) controller.publications.open();
  const publication = controller.publish();
  controller.wake();
  return { changes, warnings, publication };
}

function planAll(input: {
  readonly records: Records;
  readonly parsed: ParsedDocuments;
  readonly request: ApplyRequest;
  readonly now: Instant;
}): { readonly changes: readonly Planned[]; readonly warnings: readonly DocumentProblem[] } {
  const { records, parsed, request, now } = input;
  const others = [...records.values()].filter(
    ({ name }) => !parsed.services.some(({ spec }) => spec.name === name),
  );
  requireRoomForServices(
    records.size,
    parsed.services.map(({ spec }) => spec.name).filter((name) => !records.has(name)),
  );
  const warnings = parsed.checkTogether(others.map(({ spec }) => spec));
  const changes = parsed.services.map(({ spec, document }) => {
    const before = records.get(spec.name);
    const expected = request.expectedGenerations.get(spec.name);
    if (before !== undefined) checkGeneration(before, expected);
    else if (expected !== undefined && expected !== 0) {
      throw new OperationError(
        'Aborted',
        `${spec.name} does not exist, but the change was made for generation ${expected}`,
        {
          generations: { expected, actual: 0 },
        },
      );
    }
    const group = movingTogether(spec, parsed, records);
    return planOne({ before, spec, document, request, now, group });
  });
  return { changes, warnings };
}

/** The services of the same group whose wanted versions change in this request. */
function movingTogether(
  { group, name }: VersionedService,
  parsed: ParsedDocuments,
  records: Records,
): readonly ServiceName[] {
  if (group === undefined) return [name];
  return parsed.services
    .filter(({ spec }) => spec.group === group)
    .filter(({ spec }) => {
      const before = records.get(spec.name);
      return before !== undefined && before.traffic.kind !== 'none' && before.spec.version !== spec.version;
    })
    .map(({ spec }) => spec.name)
    .toSorted();
}

function planOne(input: {
  readonly before: ServiceRecord | undefined;
  readonly spec: VersionedService;
  readonly document: string;
  readonly request: ApplyRequest;
  readonly now: Instant;
  readonly group: readonly ServiceName[];
}): Planned {
  const { before, spec, document, request, now } = input;
  const { actor: by, reason } = request.caller;
  const start = { by, reason, urgent: false, group: input.group };
  if (before === undefined) {
    const empty: ServiceRecord = {
      name: spec.name,
      spec,
      document,
      generation: 1,
      traffic: { kind: 'none' },
      versions: [],
      holds: [],
    };
    const found = request.found?.get(spec.name);
    const record =
      found === undefined ? startRollout(empty, { ...start, now }) : takenUp(empty, found, { ...start, now });
    const from = found === undefined ? '' : `; ${found.primary} was found and stays primary`;
    const effects = effectsOf(undefined, record);
    return {
      change: { service: spec.name, kind: 'Created', generation: 1, differences: [], effects },
      record,
      events: [
        eventOf({
          before,
          record,
          request,
          now,
          message: `${spec.name}: created with version ${spec.version}${from}`,
        }),
      ],
    };
  }
  const differences = diffServices(before.spec, spec);
  if (differences.length === 0) {
    return {
      change: {
        service: spec.name,
        kind: 'Unchanged',
        generation: before.generation,
        differences: [],
        effects: [],
      },
    };
  }
  const problem = forbiddenChanges(before, spec);
  if (problem !== undefined) throw new OperationError('FailedPrecondition', problem);
  const wished = { ...before, spec, document, generation: before.generation + 1 };
  const isGone = findVersion(before, spec.version)?.state === 'Retired';
  const isNewWish = before.spec.version !== spec.version || isGone || before.traffic.kind === 'none';
  const record = isNewWish ? refuse(() => startRollout(wished, { ...start, now })) : wished;
  const fields = differences.map(({ field }) => field).join(', ');
  return {
    change: {
      service: spec.name,
      kind: 'Changed',
      generation: record.generation,
      differences,
      effects: effectsOf(before, record),
    },
    record,
    events: [
      eventOf({ before, record, request, now, message: `${spec.name}: changed ${fields}` }),
      ...replacedEvents({ before, after: record, now, actor: by }),
    ],
  };
}

function eventOf(input: {
  readonly before: ServiceRecord | undefined;
  readonly record: ServiceRecord;
  readonly request: ApplyRequest;
  readonly now: Instant;
  readonly message: string;
}): NewAuditEvent {
  const { before, record, request, now, message } = input;
  return {
    at: now,
    actor: request.caller.actor,
    action: 'Apply',
    service: record.name,
    reason: request.caller.reason,
    message,
    ...changedPart(before, record),
  };
}

/** The commit stands even where a runtime cannot take the wish now: the loop tries again. */
async function startWanted({ controller }: OperationContext, planned: readonly Planned[]): Promise<void> {
  for (const { record } of planned) {
    if (record === undefined) continue;
    await wantVersions(controller.options.runtimes, record).catch((error: unknown) => {
      controller.options.log.warn(
        { service: record.name, error: String(error) },
        'the runtime did not take the wish yet',
      );
    });
  }
}
