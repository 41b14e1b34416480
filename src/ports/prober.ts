/** Asks an instance, or somebody outside, whether a version is good: the performers of probes and webhook gates. */
import type { CheckMetric, ProbeMetric } from '../model/check.ts';
import type { Instance } from '../model/instance.ts';
import type { ServiceName, VersionName } from '../model/names.ts';

/** What was answered; `error` where nothing was. */
export type ProbeAnswer =
  | { readonly kind: 'approved' | 'refused' | 'undecided'; readonly detail: string }
  | { readonly kind: 'error'; readonly reason: string };

export interface Prober {
  /** Asks every instance given; `approved` when all answer well. Never rejects. */
  probe(request: {
    readonly metric: ProbeMetric;
    readonly service: ServiceName;
    readonly version: VersionName;
    /** The pin header that names the version, as pinned clients send it. */
    readonly pinHeader: string;
    readonly instances: readonly Instance[];
    readonly signal: AbortSignal;
  }): Promise<ProbeAnswer>;
  /** Posts the facts of the rollout as JSON, signed, and reads the decision. Never rejects. */
  confirm(request: {
    readonly metric: Extract<CheckMetric, { kind: 'webhook' }>;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly signal: AbortSignal;
  }): Promise<ProbeAnswer>;
}
