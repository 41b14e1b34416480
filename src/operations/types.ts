/**
 * What every verb takes and gives. An operation checks, compares the generation, commits with an audit event and
 * wakes the loop; edges (admin API, later a console) only parse, call one of these, and format.
 */

import type { AuditEvent } from '../model/audit.ts';
import type { Decision, ExplainRequest } from '../model/decision.ts';
import type { GatewayStanding } from '../model/gateway-standing.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant, Milliseconds } from '../model/instant.ts';
import type { ServiceName, TenantName, VersionName } from '../model/names.ts';
import type { DocumentProblem } from '../model/problem.ts';
import type { ServiceRecord, Traffic, VersionRecord } from '../model/state.ts';
import type { OpenWork } from '../ports/work-source.ts';
import type { Found } from '../rollout/taken-up.ts';
import type { DelegateOperations } from './delegate-types.ts';
import type { RolloutOperations } from './rollout-types.ts';

export type { Decision, ExplainRequest, RequestFacts } from '../model/decision.ts';
export type { Found } from '../rollout/taken-up.ts';

/** Who asks, and why; both are audited. */
export interface Caller {
  readonly actor: string;
  readonly reason: string;
}

/** What every change carries. */
export interface ChangeRequest {
  readonly caller: Caller;
  readonly service: ServiceName;
  /** The generation that the caller read; absent: whatever is current. */
  readonly expectedGeneration?: number;
  /** True: check and describe, change nothing. */
  readonly dryRun: boolean;
}

/** What every accepted change answers. */
export interface ChangeOutcome {
  readonly service: ServiceRecord;
  /** One sentence: what was done (or, in a dry run, what would be). */
  readonly message: string;
  /** The publication that shows the change; 0 in a dry run or where the routes did not change. */
  readonly publication: number;
  /** Whom it touches, one sentence each: refused pins, open work, tenants that move. */
  readonly impact: readonly string[];
}

/** Why an operation was refused, for a program: the gRPC code follows from it. */
export type OperationErrorCode =
  | 'InvalidArgument'
  | 'NotFound'
  | 'FailedPrecondition'
  | 'Aborted'
  | 'Unavailable';

/** A refused operation; nothing was changed. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;
  readonly details: OperationErrorDetails;
  constructor(code: OperationErrorCode, message: string, details: OperationErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Facts beside the message. */
export interface OperationErrorDetails {
  /** What was wrong in a document, each with its place. */
  readonly problems?: readonly DocumentProblem[];
  /** What keeps a version from being retired. */
  readonly openWork?: readonly OpenWork[];
  /** Both values of a lost race. */
  readonly generations?: { readonly expected: number; readonly actual: number };
}

export type { DocumentProblem };

export interface ApplyRequest {
  readonly caller: Caller;
  readonly documents: readonly { readonly file: string; readonly text: string }[];
  /** Generations that the caller read, by service; a service that is not listed is not compared. */
  readonly expectedGenerations: ReadonlyMap<ServiceName, number>;
  /** What already runs of services that nothing is recorded of: their traffic stays where it is. */
  readonly found?: ReadonlyMap<ServiceName, Found>;
  readonly dryRun: boolean;
}

export interface ApplyOutcome {
  /** One for each document, in their order. */
  readonly changes: readonly ServiceChange[];
  readonly warnings: readonly DocumentProblem[];
  readonly publication: number;
}

export interface ServiceChange {
  readonly service: ServiceName;
  readonly kind: 'Created' | 'Changed' | 'Unchanged';
  readonly generation: number;
  /** What differs in the spec, by field path. */
  readonly differences: readonly {
    readonly field: string;
    readonly before: string;
    readonly after: string;
  }[];
  /** What it will do to what runs: `starts v2`, `cuts streams: listener gateway moves from port 10000 to 10001`. */
  readonly effects: readonly string[];
}

/** Moves all default traffic to `version` in one publication. */
export type FlipRequest = ChangeRequest & {
  readonly version: VersionName;
  /** Lets a version through that is Quarantined, Abandoned or has not passed its checks, with the caller's reason. */
  readonly waiveGates: boolean;
};

/** Gives `version` a share of the default traffic: 0 ends the shift, 100 is the flip. */
export type SetWeightRequest = FlipRequest & { readonly weight: number };

/** Moves all default traffic back: to `to`, or to the previous primary; during a shift to the primary. */
export type RollbackRequest = ChangeRequest & { readonly to?: VersionName };

/** Fences a version: no new work, open work goes on. */
export type DrainRequest = ChangeRequest & {
  readonly version: VersionName;
  /** Must be true where `version` is the previous primary: afterwards there is no way back. */
  readonly giveUpRollback: boolean;
  /** Do not wait for proxies that are away or behind. */
  readonly waiveStragglers: boolean;
};

/** Takes a drained version's routes, cluster and instances away. */
export type RetireRequest = DrainRequest & {
  /** Retire although work is open or unknown; the caller's reason is audited. */
  readonly waiveOpenWork: boolean;
};

/** Stops all instances, so that the controller can end. */
export interface DownRequest {
  readonly caller: Caller;
  /** How long the instances may take. */
  readonly timeout: Milliseconds;
  /** The caller's own end of waiting. */
  readonly signal: AbortSignal;
}

export type HoldRequest = ChangeRequest & {
  readonly tenant: TenantName;
  readonly version: VersionName;
  /** How long from now on. */
  readonly duration: Milliseconds;
};

export type ReleaseRequest = ChangeRequest & { readonly tenant: TenantName };

/** Deletes a service with its primary; the only way to drop a primary. */
export type DeleteServiceRequest = ChangeRequest;

/**
 * How far a publication has come. `Everywhere`: every connected proxy has acknowledged its routes; proxies that are away
 * have not, are not waited for, and are named all the same.
 */
export interface Convergence {
  readonly kind: 'Everywhere' | 'NotYetEverywhere';
  readonly publication: number;
  /** Connected proxies that acknowledged its routes. */
  readonly acknowledged: readonly string[];
  readonly stragglers: readonly Straggler[];
  /** From the call to the last acknowledgement, or to now. */
  readonly elapsed: Milliseconds;
}

/** A proxy that has not acknowledged. */
export interface Straggler {
  readonly proxy: string;
  /** `Behind`: connected, no answer yet. `Rejected`: it sent a NACK. `Away`: seen within the grace time, not connected. */
  readonly kind: 'Behind' | 'Rejected' | 'Away';
  readonly publication: number;
  readonly message: string;
}

/** A service as an operator sees it. */
export interface ServiceView {
  readonly record: ServiceRecord;
  readonly versions: readonly VersionView[];
  /** The default traffic after the readiness rules: a candidate without a ready endpoint has weight 0. */
  readonly effectiveTraffic: Traffic;
  /** What is wrong now: a primary without a ready endpoint, rejected publications, … */
  readonly alerts: readonly string[];
  /** How its HTTPRoute stands; absent: it has none. */
  readonly gateways?: GatewayStanding;
}

export interface VersionView {
  readonly record: VersionRecord;
  readonly instances: readonly Instance[];
  readonly readyEndpoints: number;
  /** Percent of default traffic. */
  readonly weight: number;
  readonly isPrevious: boolean;
}

/** A known proxy: connected, or away since less than the grace time. */
export interface ProxyView {
  readonly id: string;
  readonly kind: 'envoy' | 'grpc';
  readonly connected: boolean;
  readonly inSync: boolean;
  readonly lastSeen: Instant;
  readonly publication: number;
  /** What it had rejected when an earlier connection ended, and has not acknowledged since. */
  readonly pastRejections: readonly import('../ports/publisher.ts').TypeProgress[];
  readonly progress?: import('../ports/publisher.ts').ProxyProgress;
}

/** All verbs; main wires one, the admin API calls it. */
export interface Operations extends RolloutOperations, DelegateOperations {
  apply(request: ApplyRequest): Promise<ApplyOutcome>;
  deleteService(request: DeleteServiceRequest): Promise<ChangeOutcome>;
  flip(request: FlipRequest): Promise<ChangeOutcome>;
  setWeight(request: SetWeightRequest): Promise<ChangeOutcome>;
  rollback(request: RollbackRequest): Promise<ChangeOutcome>;
  drain(request: DrainRequest): Promise<ChangeOutcome>;
  retire(request: RetireRequest): Promise<ChangeOutcome>;
  hold(request: HoldRequest): Promise<ChangeOutcome>;
  release(request: ReleaseRequest): Promise<ChangeOutcome>;
  /** Waits until every connected proxy has acknowledged the routes of `publication`, or until the signal is aborted. */
  converge(request: { publication: number; signal: AbortSignal }): Promise<Convergence>;
  services(): readonly ServiceView[];
  /** Throws OperationError NotFound. */
  service(name: ServiceName): ServiceView;
  proxies(): readonly ProxyView[];
  explain(request: ExplainRequest): Decision;
  events(query: {
    service?: ServiceName;
    afterSequence?: number;
    limit: number;
    newest?: boolean;
  }): Promise<readonly AuditEvent[]>;
  /** Asks the work source of a version what is open. */
  openWork(request: {
    service: ServiceName;
    version: VersionName;
    signal: AbortSignal;
  }): Promise<import('../ports/work-source.ts').WorkCount>;
  backup(file: string): Promise<void>;
  /**
   * Stops every instance that Switchyard runs and resolves with their ids when they are gone. What is recorded stays:
   * the next controller starts them again. The caller ends the process afterwards. Rejects with Unavailable, naming
   * those that still run, when the timeout is over or the signal is aborted.
   */
  down(request: DownRequest): Promise<{ readonly stopped: readonly string[] }>;
  /** Whether `down` has begun: instances are stopped and nothing starts them again. */
  isStopping(): boolean;
  /** The table that is published now. */
  table(): import('../model/table.ts').RoutingTable;
  /** Calls back after any change that a view could show. Returns the way to stop that. */
  subscribe(listener: () => void): () => void;
}
