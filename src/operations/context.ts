/** What every operation works with, and the one way in which a verb changes a recorded service. */
import type { Controller } from '../controller/controller.ts';
import type { Records } from '../controller/ledger.ts';
import type { NewAuditEvent } from '../model/audit.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import { findVersion, type ServiceRecord, type VersionRecord } from '../model/state.ts';
import type { TrafficLog } from '../ports/traffic-log.ts';
import { groupOf } from '../rollout/group.ts';
import { changedPart } from '../rollout/record.ts';
import { replacedRollout } from '../rollout/start.ts';
import { type Change, ForbiddenTransitionError } from '../rollout/transition.ts';
import { type ChangeOutcome, type ChangeRequest, OperationError } from './types.ts';

/** The running controller; operations change its ledger and wake its loop. */
export interface OperationContext {
  readonly controller: Controller;
  /** What the proxies reported of the requests. */
  readonly trafficLog: TrafficLog;
}

/** A verb as data: its name in the audit trail, and the pure change. */
export interface Verb {
  /** CamelCase, for the audit trail. */
  readonly action: string;
  /** Gives the changed record, or the same object where there is nothing to do. Throws where it is refused. */
  readonly change: (record: ServiceRecord, change: Change) => ServiceRecord;
  /** One sentence about what was done. */
  readonly describe: (before: ServiceRecord, after: ServiceRecord) => string;
  /** Machine-readable reason in the version's record. */
  readonly reason: string;
  /**
   * Services whose rollouts move together are changed in the same commit: those whose rollouts go on, have ended, or all.
   * Absent: the service goes alone.
   */
  readonly members?: 'Open' | 'Ended' | 'All';
}

interface Changed {
  readonly service: ServiceRecord;
  readonly message: string;
  /** Empty where nothing has changed. */
  readonly events: readonly NewAuditEvent[];
}

/**
 * Checks the generation, changes the record (of a group: all members'), commits with an audit event for each, publishes,
 * and wakes the loop. In a dry run everything is checked and nothing is written. Throws OperationError.
 */
export async function changeService(
  context: OperationContext,
  request: ChangeRequest,
  verb: Verb,
): Promise<ChangeOutcome> {
  const { controller } = context;
  requireActor(request);
  const now = controller.options.clock.now();
  const outcome = await controller.ledger.change((records) => {
    const changes = membersOf(records, request, verb).map((before) =>
      changeOne({ before, request, verb, now }),
    );
    const events = changes.flatMap((changed) => changed.events);
    const services = changes.flatMap(({ service, events: [told] }) => (told === undefined ? [] : [service]));
    const own = changes.find(({ service }) => service.name === request.service);
    const result = {
      service: own?.service ?? requireService(records, request.service),
      message: changes.map(({ message }) => message).join('; '),
      impact: [],
    };
    const isWritten = services.length > 0 && !request.dryRun;
    return { ...(isWritten ? { commit: { services, events } } : {}), result };
  });
  if (request.dryRun) return { ...outcome, publication: 0 };
  const publication = controller.publish();
  controller.wake(request.service);
  return { ...outcome, publication };
}

function membersOf(records: Records, request: ChangeRequest, verb: Verb): readonly ServiceRecord[] {
  const record = requireService(records, request.service);
  checkGeneration(record, request.expectedGeneration);
  const { members } = verb;
  if (members === undefined) return [record];
  return groupOf(record, records.values()).filter(({ name, rollout }) => {
    if (name === record.name || members === 'All') return true;
    return rollout !== undefined && isOpen(rollout.state) === (members === 'Open');
  });
}

function changeOne(input: {
  readonly before: ServiceRecord;
  readonly request: ChangeRequest;
  readonly verb: Verb;
  readonly now: Instant;
}): Changed {
  const { before, request, verb, now } = input;
  const after = refuse(() => verb.change(before, { now, reason: verb.reason }));
  if (after === before) return { service: before, message: `${before.name}: nothing to change`, events: [] };
  const service = { ...after, generation: before.generation + 1 };
  const message = verb.describe(before, after);
  const event = {
    at: now,
    actor: request.caller.actor,
    action: verb.action,
    service: before.name,
    reason: request.caller.reason,
    message,
    ...changedPart(before, service),
  };
  const events = [event, ...replacedEvents({ before, after: service, now, actor: request.caller.actor })];
  return { service: request.dryRun ? after : service, message, events };
}

/** The end of a rollout that made way for another, told like every other end. */
export function replacedEvents({
  before,
  after,
  now,
  actor,
}: {
  readonly before: ServiceRecord;
  readonly after: ServiceRecord;
  readonly now: Instant;
  readonly actor: string;
}): readonly NewAuditEvent[] {
  const ended = replacedRollout(before, after);
  if (ended === undefined) return [];
  const { state, id, because } = ended;
  const message = `${before.name}: ${id} is ${state}: ${because}`;
  return [
    {
      at: now,
      actor,
      action: `Rollout${state}`,
      service: before.name,
      reason: because,
      message,
      before: '',
      after: '',
    },
  ];
}

/** The record of a service. Throws OperationError NotFound, naming those that exist. */
export function requireService(
  records: ReadonlyMap<ServiceName, ServiceRecord>,
  name: ServiceName,
): ServiceRecord {
  const record = records.get(name);
  if (record !== undefined) return record;
  const known = [...records.keys()].toSorted().join(', ');
  throw new OperationError(
    'NotFound',
    `there is no service ${name}; ${known === '' ? 'none is applied yet' : `there are: ${known}`}`,
  );
}

/** The record of a version that is not retired. Throws OperationError NotFound, naming those that exist. */
export function requireVersion(record: ServiceRecord, name: VersionName): VersionRecord {
  const version = findVersion(record, name);
  if (version !== undefined && version.state !== 'Retired') return version;
  const known = record.versions.filter(({ state }) => state !== 'Retired').map((other) => other.name);
  throw new OperationError(
    'NotFound',
    `${record.name} has no version ${name}${version === undefined ? '' : ' any more: it is Retired'}; there are: ${known.join(', ')}`,
  );
}

/** Throws OperationError Aborted, with both values, where the caller has read an older or newer record. */
export function checkGeneration(record: ServiceRecord, expected: number | undefined): void {
  if (expected === undefined || expected === record.generation) return;
  throw new OperationError(
    'Aborted',
    `${record.name} is at generation ${record.generation}, but the change was made for generation ${expected}; read it again and repeat`,
    { generations: { expected, actual: record.generation } },
  );
}

/** Every change says who asks: the audit trail is worth nothing without. Why may be left out, except where a verb wants it. */
export function requireActor(request: Pick<ChangeRequest, 'caller'>): void {
  if (request.caller.actor.trim() === '') {
    throw new OperationError('InvalidArgument', 'actor: say who asks for the change; it is empty');
  }
}

/** Runs a change; what the rules forbid becomes a refusal. */
export function refuse<Result>(change: () => Result): Result {
  try {
    return change();
  } catch (error) {
    if (error instanceof ForbiddenTransitionError)
      throw new OperationError('FailedPrecondition', error.message);
    throw error;
  }
}
