/** What the verbs of rollouts take and give; operations/types.ts has the rest. */
import type { Check } from '../model/check.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { CheckRun, Measurement, Verdict } from '../model/measurement.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { ReplayedStep } from '../model/replay.ts';
import type { RolloutReport } from '../model/report.ts';
import type { Freeze, RolloutId, RolloutRecord, RolloutStep } from '../model/rollout.ts';
import type { DrainCertificate } from '../model/state.ts';
import type { WorkSplit } from '../model/workflow.ts';
import type { RolloutDelegatesView } from './delegate-types.ts';
import type { ChangeOutcome, ChangeRequest } from './types.ts';

/** Wants another version, as `apply` with a changed `spec.version` does. */
export type DeployRequest = ChangeRequest & {
  readonly version: VersionName;
  /** Skips waits (delays, windows, step durations), never gates. */
  readonly urgent: boolean;
};

/** `full`: on to 100 percent without further waits, gates or approvals; needs a reason. */
export type PromoteRequest = ChangeRequest & { readonly full: boolean };

export type FreezeRequest = ChangeRequest & {
  /** Absent: until `unfreeze`. */
  readonly duration?: Milliseconds;
};

/** The verbs of rollouts. All act on the service's open rollout; FailedPrecondition where there is none. */
export interface RolloutOperations {
  deploy(request: DeployRequest): Promise<ChangeOutcome>;
  pause(request: ChangeRequest): Promise<ChangeOutcome>;
  resume(request: ChangeRequest): Promise<ChangeOutcome>;
  /** Goes on past a pause, an approval or an undecided gate. Never past a Failed one, unless `full` with a reason. */
  promote(request: PromoteRequest): Promise<ChangeOutcome>;
  /** Ends the rollout: default traffic goes back in one flip. After the flip it is a rollback. */
  abort(request: ChangeRequest): Promise<ChangeOutcome>;
  /** Begins an ended rollout again, judged afresh. */
  retry(request: ChangeRequest): Promise<ChangeOutcome>;
  freeze(request: FreezeRequest): Promise<ChangeOutcome>;
  unfreeze(request: ChangeRequest): Promise<ChangeOutcome>;
  /** The service's rollout that goes on, or its last one. Throws NotFound where there was none. */
  rollout(service: ServiceName): RolloutView;
  /** Newest first. */
  rollouts(query: {
    readonly service?: ServiceName;
    readonly limit: number;
  }): Promise<readonly RolloutRecord[]>;
  /** In the order in which they were made. Throws NotFound for an unknown rollout. */
  measurements(rollout: RolloutId): Promise<readonly Measurement[]>;
  /** The zero-impact report, by id or of a service's last rollout. */
  report(query: { readonly rollout?: RolloutId; readonly service?: ServiceName }): Promise<RolloutReport>;
  /** Measures every check of a version once, now; decides and stores nothing. */
  verify(request: VerifyRequest): Promise<VerifyOutcome>;
  /** Judges a stored rollout's measurements by the checks of a document; changes nothing. */
  replay(request: ReplayRequest): Promise<ReplayOutcome>;
}

export interface VerifyRequest {
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly signal: AbortSignal;
}

export interface VerifyOutcome {
  readonly version: VersionName;
  readonly baseline?: VersionName;
  readonly checks: readonly { readonly check: Check; readonly measurement: Measurement }[];
  readonly verdict: Verdict;
}

export interface ReplayRequest {
  readonly rollout: RolloutId;
  /** A VersionedService document whose `spec.verification` is the other policy; absent: the service's present one. */
  readonly document?: { readonly file: string; readonly text: string };
}

export interface ReplayOutcome {
  readonly rollout: RolloutRecord;
  /** For each step that was measured, in order: what was decided, and what the other policy would have. */
  readonly steps: readonly ReplayedStep[];
  /** One sentence: where and when the other policy would have ended it. */
  readonly message: string;
}

export type { ReplayedStep };

/** A rollout as an operator sees it. */
export interface RolloutView {
  readonly record: RolloutRecord;
  /** All steps of the walk in order, with how far it has come. */
  readonly steps: readonly StepView[];
  /** Percent of default traffic that the candidate was given. */
  readonly setWeight: number;
  /** What the proxies reported of the last half minute; absent: no proxy reports, or there was no default traffic. */
  readonly actualWeight?: { readonly percent: number; readonly requests: number };
  readonly checks: readonly { readonly check: Check; readonly run: CheckRun }[];
  /** What the checks of the present step add up to; absent where the step has none. */
  readonly verdict?: Verdict;
  /** What it waits for, one sentence each; empty where it moves. */
  readonly waitsFor: readonly string[];
  /** Open work of versions that drain. */
  readonly openWork: readonly OpenWorkView[];
  readonly wayBack: WayBack;
  /** Absent: it waits for no delegates. */
  readonly delegates?: RolloutDelegatesView;
  readonly freeze?: Freeze;
}

export interface StepView {
  readonly step: RolloutStep;
  readonly progress: 'Done' | 'Current' | 'Ahead';
}

export interface OpenWorkView {
  readonly version: VersionName;
  /** Absent: unknown. */
  readonly open?: number;
  /** Why it is unknown; empty where it is known. */
  readonly problem: string;
  /** When the last of it will probably have ended; absent: it does not fall, or is not known. */
  readonly expectedDrained?: Instant;
  /** What a zero rests on; absent: not counted. */
  readonly certificate?: DrainCertificate;
  /** What `open` is made of; absent: not told. */
  readonly split?: WorkSplit;
}

/** Whether the default traffic could be moved back now (the rehearsal of a rollback). */
export interface WayBack {
  readonly isReady: boolean;
  readonly to?: VersionName;
  readonly readyEndpoints: number;
  /** What is in the way, or why there is none; empty when ready. */
  readonly problems: readonly string[];
}
