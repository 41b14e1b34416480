/**
 * Our words and the numbers that stand for them in the admin API. Each table is complete by the compiler: a new word
 * does not build until it has a number.
 */
import { ControllerState, ServiceChangeKind } from '../gen/switchyard/admin/v1/admin_service_pb.js';
import { ConvergenceState, ProblemSeverity, StragglerKind } from '../gen/switchyard/admin/v1/changes_pb.js';
import {
  InstanceState,
  ProxyKind,
  RetirementStep,
  VersionMarkKind,
  VersionState,
  XdsProtocol,
} from '../gen/switchyard/admin/v1/resources_pb.js';
import type { InstanceState as InstanceWord } from '../model/instance.ts';
import type { Retirement, VersionMark, VersionState as VersionWord } from '../model/state.ts';
import type {
  Convergence,
  DocumentProblem,
  ProxyView,
  ServiceChange,
  Straggler,
} from '../operations/types.ts';
import type { ProxyProgress } from '../ports/publisher.ts';

/** Whether the controller answers proxies; `AwaitingApply`: its store is empty and proxies hold configuration. */
export type ControllerWord = 'Loading' | 'Ready' | 'AwaitingApply' | 'Stopping';

export const VERSION_STATE = {
  Deploying: VersionState.DEPLOYING,
  Registering: VersionState.REGISTERING,
  Standby: VersionState.STANDBY,
  Ramping: VersionState.RAMPING,
  Primary: VersionState.PRIMARY,
  Draining: VersionState.DRAINING,
  Drained: VersionState.DRAINED,
  Retired: VersionState.RETIRED,
} satisfies Record<VersionWord, VersionState>;

export const VERSION_MARK = {
  Abandoned: VersionMarkKind.ABANDONED,
  Quarantined: VersionMarkKind.QUARANTINED,
} satisfies Record<VersionMark['kind'], VersionMarkKind>;

export const RETIREMENT_STEP = {
  Refusing: RetirementStep.REFUSING,
  RemovingCluster: RetirementStep.REMOVING_CLUSTER,
  StoppingInstances: RetirementStep.STOPPING_INSTANCES,
} satisfies Record<Retirement['step'], RetirementStep>;

export const INSTANCE_STATE = {
  Starting: InstanceState.STARTING,
  Ready: InstanceState.READY,
  Unready: InstanceState.UNREADY,
  Failed: InstanceState.FAILED,
  Stopping: InstanceState.STOPPING,
} satisfies Record<InstanceWord, InstanceState>;

export const PROXY_KIND = {
  envoy: ProxyKind.ENVOY,
  grpc: ProxyKind.GRPC,
} satisfies Record<ProxyView['kind'], ProxyKind>;

export const XDS_PROTOCOL = {
  sotw: XdsProtocol.SOTW,
  delta: XdsProtocol.DELTA,
} satisfies Record<ProxyProgress['protocol'], XdsProtocol>;

export const CONVERGENCE = {
  Everywhere: ConvergenceState.EVERYWHERE,
  NotYetEverywhere: ConvergenceState.NOT_YET_EVERYWHERE,
} satisfies Record<Convergence['kind'], ConvergenceState>;

export const STRAGGLER = {
  Behind: StragglerKind.BEHIND,
  Rejected: StragglerKind.REJECTED,
  Away: StragglerKind.AWAY,
} satisfies Record<Straggler['kind'], StragglerKind>;

export const SEVERITY = {
  error: ProblemSeverity.ERROR,
  warning: ProblemSeverity.WARNING,
} satisfies Record<DocumentProblem['severity'], ProblemSeverity>;

export const CHANGE_KIND = {
  Created: ServiceChangeKind.CREATED,
  Changed: ServiceChangeKind.CHANGED,
  Unchanged: ServiceChangeKind.UNCHANGED,
} satisfies Record<ServiceChange['kind'], ServiceChangeKind>;

export const CONTROLLER_STATE = {
  Loading: ControllerState.LOADING,
  Ready: ControllerState.READY,
  AwaitingApply: ControllerState.AWAITING_APPLY,
  Stopping: ControllerState.STOPPING,
} satisfies Record<ControllerWord, ControllerState>;

/** The word for a number of one of the tables above; `Unknown` for one that this release does not know. */
export function wordOf<Word extends string>(
  table: Readonly<Record<Word, number>>,
  value: number,
): Word | 'Unknown' {
  const entry = Object.entries(table).find(([, number]) => number === value);
  return entry === undefined ? 'Unknown' : (entry[0] as Word);
}
