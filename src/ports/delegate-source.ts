/** Who knows the delegates that are connected to a version (rule 8 of drains, and the parity gate). Unknown is not none. */
import type { DelegateAnswer, DelegateSourceSpec } from '../model/delegates.ts';
import type { Instance } from '../model/instance.ts';
import type { Instant } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';

export type { DelegateAnswer } from '../model/delegates.ts';

export interface DelegateSource {
  /** Delegates heard of since `since`, of all versions of a service that still have some. Never rejects. */
  delegates(request: DelegateRequest): Promise<DelegateAnswer>;
}

export interface DelegateRequest {
  readonly source: DelegateSourceSpec;
  readonly service: ServiceName;
  /** The versions that are asked for: their delegates, or none, are in the answer. */
  readonly versions: readonly VersionName[];
  readonly since: Instant;
  /** Ready instances of any version of the service: each may be asked. */
  readonly instances: readonly Instance[];
  readonly signal: AbortSignal;
}
