/** The Service of a cluster that always leads to the primary: for clients without a proxy, and a word of who was primary. */
import type { KubernetesRuntimeSpec } from '../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { PrimaryServiceStanding } from '../model/primary-service.ts';

export interface PrimaryMove {
  readonly service: ServiceName;
  readonly spec: KubernetesRuntimeSpec;
  readonly version: VersionName;
}

export interface PrimaryServices {
  /**
   * Leads default clients to a version, and keeps the Service so where somebody changes it by hand. The same move again
   * changes nothing. Rejects with PrimaryServiceError where the version has no ready endpoint, or the Service is not ours
   * and was not given to us, and as the cluster does; the last move then stays.
   */
  movePrimary(move: PrimaryMove): Promise<void>;
  /** Where the Service leads now, as far as was heard, and what keeps it from being as it was to be moved last. */
  standing(service: ServiceName, spec: KubernetesRuntimeSpec): PrimaryServiceStanding;
  /** The version that the service's Service leads to, whatever its name: of a service whose spec is not followed yet. */
  primaryOf(service: ServiceName): VersionName | undefined;
  /** The service is deleted: its Service is taken away, or given back where it was somebody else's before. */
  forget(service: ServiceName): Promise<void>;
  /** Calls back where a service's standing has changed, or somebody has given it a Service. Returns the way to stop that. */
  subscribe(listener: (service: ServiceName) => void): () => void;
}

/** A move that must not be done; the message says why. */
export class PrimaryServiceError extends Error {
  override readonly name = 'PrimaryServiceError';
}
