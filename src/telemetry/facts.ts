/**
 * What a scrape reads from the running controller. The views of operations have these fields; they are named here so
 * that telemetry imports no one but the model and the ports.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';

/** The state of the controller at one moment. */
export interface Facts {
  /** Whether proxies are served. */
  readonly ready: boolean;
  /** The newest publication; 0 before the first. */
  readonly publication: number;
  readonly services: readonly ServiceFacts[];
  readonly proxies: readonly ProxyFacts[];
}

export interface ServiceFacts {
  readonly record: ServiceRecord;
  readonly versions: readonly VersionFacts[];
  /** What is wrong now, in sentences. */
  readonly alerts: readonly string[];
}

export interface VersionFacts {
  readonly record: VersionRecord;
  readonly instances: readonly Instance[];
  readonly readyEndpoints: number;
  /** Percent of default traffic. */
  readonly weight: number;
}

export interface ProxyFacts {
  readonly kind: 'envoy' | 'grpc';
  readonly connected: boolean;
  readonly inSync: boolean;
  /** The newest publication that it has acknowledged in full. */
  readonly publication: number;
}
