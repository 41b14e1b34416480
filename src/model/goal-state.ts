/**
 * What the controller tells a watcher to run on its box, and what the watcher says of it. A goal state is compared and
 * set: it names the generation that it replaces, so that an old one never undoes a newer.
 */
import type { Instant, Milliseconds } from './instant.ts';
import type { ServiceName, TenantName, VersionName } from './names.ts';
import type { DelegateId } from './workflow.ts';

/** What a watcher fetches and starts for a version. `switchyard artifact` makes and signs it. */
export interface Artifact {
  readonly service: ServiceName;
  readonly version: VersionName;
  /** `https://`, `http://` or `file:///`. */
  readonly url: string;
  /** In hexadecimal digits. */
  readonly sha256: string;
  readonly size: number;
  /** Ed25519 over `artifactStatement`, in base64: by a key that no controller has. */
  readonly signature: string;
  /**
   * Program and arguments; `${artifact}` is the folder that the artifact was unpacked into (or the file's own path where it
   * is no archive), `${version}`, `${port}` and `${data}` are replaced too. No shell.
   */
  readonly command: readonly string[];
}

/** One version that should run on a box. */
export interface GoalVersion {
  readonly version: VersionName;
  readonly artifact: Artifact;
  /** How often an operator has ordered to try it again: what gave an earlier attempt up starts anew. Absent: never. */
  readonly attempt?: number;
}

/** All that should run on a box. What it does not list is drained and stopped. */
export interface GoalState {
  readonly service: ServiceName;
  /** Rises with each change of what any watcher of the service should run. */
  readonly generation: number;
  /** The generation that the watcher had applied when this was made; another one refuses it. */
  readonly replaces: number;
  /** The newest default last; at most MAX_GOAL_VERSIONS. */
  readonly versions: readonly GoalVersion[];
  /** True: the box is to run nothing any more. Only with it may the last healthy version be stopped (rule 12). */
  readonly decommission: boolean;
}

export const MAX_GOAL_VERSIONS = 20;

/** No generation is above it: a higher number is a mistake or an attack. */
export const MAX_GENERATION = 2 ** 48;

/** Bytes of an artifact. */
export const MAX_ARTIFACT_SIZE = 2 ** 36;

/** Who a watcher is, for the life of its box. */
export interface WatcherIdentity {
  readonly id: DelegateId;
  readonly service: ServiceName;
  readonly tenant: TenantName;
  /** The wave that it belongs to is found by this. */
  readonly group: string;
  readonly tags: readonly string[];
  /** Versions that the box can run beside each other; 1: it switches after the flip. */
  readonly maxVersions: number;
  /** Of Switchyard. */
  readonly release: string;
}

/** How a version stands on a box. */
export const BOX_VERSION_STATES = [
  /** Wanted, and the customer's window is closed. */
  'WaitingForWindow',
  /** Wanted, and the customer's policy does not allow it. */
  'Refused',
  'Fetching',
  /** Its artifact could not be had, or is not what was signed. */
  'ArtifactFailed',
  'Starting',
  'Ready',
  'Unready',
  /** It ended too often, or was never healthy: it is not started again before its artifact or the operator's order changes. */
  'CrashLooping',
  /** A box limited to one version stops the old one first. */
  'Switching',
  /** Not wanted any more; its open tasks go on. */
  'Draining',
] as const;
export type BoxVersionState = (typeof BOX_VERSION_STATES)[number];

export interface BoxVersion {
  readonly version: VersionName;
  readonly state: BoxVersionState;
  /** One sentence. */
  readonly reason: string;
  readonly since: Instant;
  /** Absent: its process does not say. */
  readonly openTasks?: number;
  readonly restarts: number;
}

/** What a watcher says of its box. */
export interface WatcherReport {
  /** The newest generation that it was told. */
  readonly seen: number;
  /** The generation that it works towards, or has reached. */
  readonly applied: number;
  /** Why it works towards no newer one; empty where it does. */
  readonly refusal: string;
  readonly versions: readonly BoxVersion[];
  readonly diskFree: number;
  /** When the customer's window opens next; absent: it is open. */
  readonly windowOpens?: Instant;
}

/** A watcher as the controller knows it. */
export interface WatcherRecord {
  readonly identity: WatcherIdentity;
  readonly report: WatcherReport;
  readonly isConnected: boolean;
  readonly lastSeen: Instant;
}

/** How long a watcher that was told to go on asking waits between two polls. */
export const POLL_INTERVAL: Milliseconds = 30_000;

/** What is signed: every fact that decides what runs, in one unambiguous text. */
export function artifactStatement(artifact: Omit<Artifact, 'signature' | 'url'>): string {
  const { service, version, sha256, size, command } = artifact;
  return `switchyard-artifact-v1\n${JSON.stringify([service, version, sha256, size, command])}\n`;
}
