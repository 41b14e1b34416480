/** What operations answer, as messages of the admin API. Pure: nothing is read and nothing is decided here. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  ChangeResultSchema,
  ConvergenceSchema,
  DocumentProblemSchema,
} from '../gen/switchyard/admin/v1/changes_pb.js';
import { ConvergenceState } from '../gen/switchyard/admin/v1/changes_pb.js';
import type {
  EventSchema,
  FreezeSchema,
  HoldSchema,
  InstanceSchema,
  OpenWorkSchema,
  ServiceSchema,
  TrafficSchema,
  VersionSchema,
  WorkCountSchema,
  WorkSplitSchema,
} from '../gen/switchyard/admin/v1/resources_pb.js';
import { RetirementStep } from '../gen/switchyard/admin/v1/resources_pb.js';
import type { AuditEvent } from '../model/audit.ts';
import type { Instance } from '../model/instance.ts';
import type { ServiceName } from '../model/names.ts';
import type { Freeze } from '../model/rollout.ts';
import type { SocketAddress } from '../model/spec.ts';
import type { Hold, Traffic } from '../model/state.ts';
import type { WorkSplit } from '../model/workflow.ts';
import type { Convergence, DocumentProblem, ServiceView, VersionView } from '../operations/types.ts';
import type { OpenWork, WorkCount } from '../ports/work-source.ts';
import {
  CONVERGENCE,
  DRAIN_CERTIFICATE,
  INSTANCE_STATE,
  RETIREMENT_STEP,
  SEVERITY,
  STRAGGLER,
  VERSION_MARK,
  VERSION_STATE,
} from './enums.ts';

/** How much of a service a view shows: lists leave the document out. */
export type Detail = 'withDocument' | 'withoutDocument';

export function serviceToMessage(view: ServiceView, detail: Detail): MessageInitShape<typeof ServiceSchema> {
  const { record } = view;
  return {
    name: record.name,
    generation: BigInt(record.generation),
    wantedVersion: record.spec.version,
    traffic: trafficToMessage(record.traffic),
    effectiveTraffic: trafficToMessage(view.effectiveTraffic),
    versions: view.versions.map((version) => versionToMessage(record.name, version)),
    holds: record.holds.map((hold) => holdToMessage(record.name, hold)),
    alerts: [...view.alerts],
    listeners: record.spec.listeners.map(({ name, address, port, domains }) => ({
      name,
      address,
      port,
      domains: [...domains],
    })),
    document: detail === 'withDocument' ? record.document : '',
    ...(record.freeze && { freeze: freezeToMessage(record.freeze) }),
  };
}

export function freezeToMessage({ reason, by, since, until }: Freeze): MessageInitShape<typeof FreezeSchema> {
  return {
    reason,
    by,
    since: timestampFromMs(since),
    ...(until !== undefined && { until: timestampFromMs(until) }),
  };
}

function trafficToMessage(traffic: Traffic): MessageInitShape<typeof TrafficSchema> {
  switch (traffic.kind) {
    case 'none':
      return { kind: { case: 'none', value: {} } };
    case 'steady':
      return {
        kind: { case: 'steady', value: { primary: traffic.primary, previous: traffic.previous ?? '' } },
      };
    case 'shifting':
      return {
        kind: {
          case: 'shifting',
          value: {
            primary: traffic.primary,
            previous: traffic.previous ?? '',
            candidate: traffic.candidate,
            weight: traffic.weight,
          },
        },
      };
  }
}

export function versionToMessage(
  service: ServiceName,
  view: VersionView,
): MessageInitShape<typeof VersionSchema> {
  const { name, state, reason, since, mark, retirement, fenced, teardown } = view.record;
  return {
    service,
    name,
    state: VERSION_STATE[state],
    reason,
    since: timestampFromMs(since),
    ...(mark && {
      mark: {
        kind: VERSION_MARK[mark.kind],
        reason: mark.reason,
        by: mark.by,
        since: timestampFromMs(mark.since),
      },
    }),
    retirement: retirement ? RETIREMENT_STEP[retirement.step] : RetirementStep.UNSPECIFIED,
    instances: view.instances.map(instanceToMessage),
    readyEndpoints: view.readyEndpoints,
    weight: view.weight,
    isPrevious: view.isPrevious,
    fenced,
    ...(teardown && { teardown: { since: timestampFromMs(teardown.since), because: teardown.because } }),
  };
}

function instanceToMessage(instance: Instance): MessageInitShape<typeof InstanceSchema> {
  return {
    id: instance.id,
    address: addressText(instance.address),
    state: INSTANCE_STATE[instance.state],
    reason: instance.reason,
    since: timestampFromMs(instance.since),
    restarts: instance.restarts,
  };
}

function addressText({ host, port }: SocketAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function holdToMessage(service: ServiceName, hold: Hold): MessageInitShape<typeof HoldSchema> {
  return {
    service,
    tenant: hold.tenant,
    version: hold.version,
    reason: hold.reason,
    by: hold.by,
    since: timestampFromMs(hold.since),
    expires: timestampFromMs(hold.expires),
    heldBackBy: hold.heldBackBy ?? '',
  };
}

export function eventToMessage(event: AuditEvent): MessageInitShape<typeof EventSchema> {
  const { sequence, at, actor, action, service, reason, message, before, after } = event;
  return {
    sequence: BigInt(sequence),
    at: timestampFromMs(at),
    actor,
    action,
    service: service ?? '',
    reason,
    message,
    before,
    after,
  };
}

export function openWorkToMessage(work: OpenWork): MessageInitShape<typeof OpenWorkSchema> {
  const { kind, id, instance, since } = work;
  return { kind, id, instance, ...(since !== undefined && { since: timestampFromMs(since) }) };
}

/** A list that would not fit one message is cut; `total` still tells the number. */
const MOST_OPEN_WORK = 10_000;

export function workCountToMessage(count: WorkCount): MessageInitShape<typeof WorkCountSchema> {
  if (count.kind === 'unknown') return { kind: { case: 'unknownReason', value: count.reason } };
  return {
    kind: {
      case: 'counted',
      value: {
        asOf: timestampFromMs(count.asOf),
        total: BigInt(count.total),
        open: count.open.slice(0, MOST_OPEN_WORK).map(openWorkToMessage),
        certificate: DRAIN_CERTIFICATE[count.certificate],
        ...(count.split && { split: workSplitToMessage(count.split) }),
      },
    },
  };
}

export function workSplitToMessage(split: WorkSplit): MessageInitShape<typeof WorkSplitSchema> {
  const { executions, events, tasks, deadLetters } = split;
  const queue = ({ queued, leased, delayed }: WorkSplit['events']) => ({
    queued: BigInt(queued),
    leased: BigInt(leased),
    delayed: BigInt(delayed),
  });
  return {
    executions: BigInt(executions),
    events: queue(events),
    tasks: queue(tasks),
    deadLetters: BigInt(deadLetters),
  };
}

export function problemToMessage(problem: DocumentProblem): MessageInitShape<typeof DocumentProblemSchema> {
  return { ...problem, severity: SEVERITY[problem.severity] };
}

/** `undefined`: nothing was published. */
export function convergenceToMessage(
  convergence: Convergence | undefined,
): MessageInitShape<typeof ConvergenceSchema> {
  if (convergence === undefined) return { state: ConvergenceState.NOTHING_PUBLISHED };
  return {
    state: CONVERGENCE[convergence.kind],
    publication: BigInt(convergence.publication),
    acknowledged: [...convergence.acknowledged],
    elapsed: durationFromMs(convergence.elapsed),
    stragglers: convergence.stragglers.map(({ proxy, kind, publication, message }) => ({
      proxy,
      kind: STRAGGLER[kind],
      publication: BigInt(publication),
      message,
    })),
  };
}

export type ChangeResultInit = MessageInitShape<typeof ChangeResultSchema>;
