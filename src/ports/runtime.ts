/**
 * What runs the instances of versions: processes of this machine, addresses that somebody else runs, and later
 * Kubernetes. test/contract/runtime.ts is the contract that each adapter passes.
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import type { RuntimeSpec } from '../model/spec.ts';

/** Which versions of a service should run. Versions that are not listed are stopped. */
export interface RuntimeWish {
  readonly service: ServiceName;
  readonly spec: RuntimeSpec;
  readonly versions: readonly VersionName[];
}

export interface Runtime {
  /**
   * Records the wish and returns at once; starting and stopping go on beside it. The same wish again changes nothing.
   * A wish with no versions stops all instances of the service. Rejects when the wish cannot be recorded.
   */
  want(wish: RuntimeWish): Promise<void>;
  /**
   * Resolves when the instances that were running before this adapter was made have been looked at once. A controller
   * that has just started publishes nothing before, so that a restart never shows proxies an empty version (rule 7).
   */
  settled(service: ServiceName): Promise<void>;
  /** The instances of a service as last observed, sorted by id. Never waits. */
  instances(service: ServiceName): readonly Instance[];
  /** The versions that can be had for a service without a wish (those listed by address); empty where `want` starts them. */
  offered(service: ServiceName): readonly VersionName[];
  /**
   * What is wrong that no single instance shows, in sentences for an operator: a file that cannot be read, a changed
   * command that a running version does not take. Empty where all is well.
   */
  problems(service: ServiceName): readonly string[];
  /**
   * The services that this runtime keeps something of, sorted: those wished for, and those whose instances a controller
   * before this one left. Whoever starts forgets those that it does not know, so that a crash within a deletion leaves
   * nothing running.
   */
  services(): readonly ServiceName[];
  /** The service is deleted: stops its instances, after which nothing of it is kept. Rejects when that cannot be recorded. */
  forget(service: ServiceName): Promise<void>;
  /** Calls back after a change of a service's instances, offered versions or problems. Returns the way to stop that. */
  subscribe(listener: (service: ServiceName) => void): () => void;
  /** Stops watching. Instances go on running. */
  close(): Promise<void>;
}
