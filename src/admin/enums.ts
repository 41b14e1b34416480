/**
 * Our words and the numbers that stand for them in the admin API. Each table is complete by the compiler: a new word
 * does not build until it has a number.
 */

import { ControllerState, ServiceChangeKind } from '../gen/switchyard/admin/v1/admin_service_pb.js';
import { ConvergenceState, ProblemSeverity, StragglerKind } from '../gen/switchyard/admin/v1/changes_pb.js';
import { WaveProgress } from '../gen/switchyard/admin/v1/delegates_pb.js';
import {
  AnswerKind,
  BadDirection,
  CheckMetricKind,
  CheckState,
  NoDataPolicy,
  VerdictState,
} from '../gen/switchyard/admin/v1/measurements_pb.js';
import {
  DrainCertificate,
  InstanceState,
  ProxyKind,
  RetirementStep,
  VersionMarkKind,
  VersionState,
  XdsProtocol,
} from '../gen/switchyard/admin/v1/resources_pb.js';
import { RolloutState, RolloutStepKind, StepProgress } from '../gen/switchyard/admin/v1/rollouts_pb.js';
import type { Check, CheckMetric, CheckState as CheckWord, Comparison } from '../model/check.ts';
import type { InstanceState as InstanceWord } from '../model/instance.ts';
import type { MeasuredData, Verdict } from '../model/measurement.ts';
import type { RolloutStep, RolloutState as RolloutWord } from '../model/rollout.ts';
import type {
  DrainCertificate as CertificateWord,
  Retirement,
  VersionMark,
  VersionState as VersionWord,
} from '../model/state.ts';
import type { WaveView } from '../operations/delegate-types.ts';
import type { StepView } from '../operations/rollout-types.ts';
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
  LeavingGoalStates: RetirementStep.LEAVING_GOAL_STATES,
  Refusing: RetirementStep.REFUSING,
  RemovingCluster: RetirementStep.REMOVING_CLUSTER,
  StoppingInstances: RetirementStep.STOPPING_INSTANCES,
} satisfies Record<Retirement['step'], RetirementStep>;

export const DRAIN_CERTIFICATE = {
  atomic: DrainCertificate.ATOMIC,
  observed: DrainCertificate.OBSERVED,
} satisfies Record<CertificateWord, DrainCertificate>;

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

export const ROLLOUT_STATE = {
  Waiting: RolloutState.WAITING,
  Progressing: RolloutState.PROGRESSING,
  Paused: RolloutState.PAUSED,
  Inconclusive: RolloutState.INCONCLUSIVE,
  Succeeded: RolloutState.SUCCEEDED,
  Aborted: RolloutState.ABORTED,
  RolledBack: RolloutState.ROLLED_BACK,
  Failed: RolloutState.FAILED,
} satisfies Record<RolloutWord, RolloutState>;

export const ROLLOUT_STEP = {
  Deploy: RolloutStepKind.DEPLOY,
  Register: RolloutStepKind.REGISTER,
  Verify: RolloutStepKind.VERIFY,
  Cohort: RolloutStepKind.COHORT,
  Shift: RolloutStepKind.SHIFT,
  Soak: RolloutStepKind.SOAK,
} satisfies Record<RolloutStep['kind'], RolloutStepKind>;

export const WAVE_PROGRESS = {
  Ahead: WaveProgress.AHEAD,
  Waiting: WaveProgress.WAITING,
  Canaries: WaveProgress.CANARIES,
  Rest: WaveProgress.REST,
  Done: WaveProgress.DONE,
} satisfies Record<WaveView['progress'], WaveProgress>;

export const STEP_PROGRESS = {
  Done: StepProgress.DONE,
  Current: StepProgress.CURRENT,
  Ahead: StepProgress.AHEAD,
} satisfies Record<StepView['progress'], StepProgress>;

export const CHECK_STATE = {
  Pending: CheckState.PENDING,
  Running: CheckState.RUNNING,
  Passed: CheckState.PASSED,
  Failed: CheckState.FAILED,
  Error: CheckState.ERROR,
  Inconclusive: CheckState.INCONCLUSIVE,
  NoData: CheckState.NO_DATA,
  Skipped: CheckState.SKIPPED,
} satisfies Record<CheckWord, CheckState>;

export const VERDICT_STATE = {
  Passed: VerdictState.PASSED,
  Running: VerdictState.RUNNING,
  NoData: VerdictState.NO_DATA,
  Inconclusive: VerdictState.INCONCLUSIVE,
  Error: VerdictState.ERROR,
  Failed: VerdictState.FAILED,
} satisfies Record<Verdict['state'], VerdictState>;

export const CHECK_METRIC = {
  builtin: CheckMetricKind.BUILTIN,
  query: CheckMetricKind.QUERY,
  ratio: CheckMetricKind.RATIO,
  histogram: CheckMetricKind.HISTOGRAM,
  http: CheckMetricKind.HTTP_PROBE,
  grpc: CheckMetricKind.GRPC_PROBE,
  command: CheckMetricKind.COMMAND,
  webhook: CheckMetricKind.WEBHOOK,
} satisfies Record<CheckMetric['kind'], CheckMetricKind>;

export const BAD_DIRECTION = {
  Increase: BadDirection.INCREASE,
  Decrease: BadDirection.DECREASE,
  Either: BadDirection.EITHER,
} satisfies Record<Comparison['bad'], BadDirection>;

export const NO_DATA_POLICY = {
  Hold: NoDataPolicy.HOLD,
  Fail: NoDataPolicy.FAIL,
  Pass: NoDataPolicy.PASS,
} satisfies Record<Check['noData'], NoDataPolicy>;

export const ANSWER = {
  approved: AnswerKind.APPROVED,
  refused: AnswerKind.REFUSED,
  undecided: AnswerKind.UNDECIDED,
} satisfies Record<Extract<MeasuredData, { kind: 'answer' }>['answer'], AnswerKind>;

/** The word for a number of one of the tables above; `Unknown` for one that this release does not know. */
export function wordOf<Word extends string>(
  table: Readonly<Record<Word, number>>,
  value: number,
): Word | 'Unknown' {
  const entry = Object.entries(table).find(([, number]) => number === value);
  return entry === undefined ? 'Unknown' : (entry[0] as Word);
}
