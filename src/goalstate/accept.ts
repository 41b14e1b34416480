/**
 * The watcher's side of compare-and-set: whether a goal state may replace the one that it has. The controller is not
 * trusted: everything that could harm is refused with the reason, and what runs goes on.
 */
import { type GoalState, MAX_GENERATION, MAX_GOAL_VERSIONS } from '../model/goal-state.ts';
import type { ServiceName } from '../model/names.ts';
import { excerpt } from '../model/text.ts';
import { goalVersionProblem } from './accept-version.ts';

/** What the customer allows on the box. */
export interface BoxPolicy {
  /** Versions that may be wanted at a time. */
  readonly maxVersions: number;
  /** Whether the controller may order the box to run nothing any more. */
  readonly allowDecommission: boolean;
  /** Bytes that an artifact may have; not above MAX_ARTIFACT_SIZE. */
  readonly maxArtifactSize: number;
}

export interface AcceptInput {
  readonly service: ServiceName;
  /** The goal state that the box works towards; undefined: it has none yet. */
  readonly current: GoalState | undefined;
  readonly offered: GoalState;
  readonly policy: BoxPolicy;
}

export type RefusalCode =
  | 'WrongService'
  | 'MalformedGeneration'
  | 'StaleGeneration'
  | 'WrongReplaces'
  | 'TooManyVersions'
  | 'MalformedVersion'
  | 'DuplicateVersion'
  | 'NothingToRun'
  | 'VersionsInDecommission'
  | 'DecommissionNotAllowed';

export type Acceptance =
  /** It takes the place of the current one. */
  | { readonly kind: 'Accept' }
  /** It is the current one: there is nothing to do. */
  | { readonly kind: 'Keep' }
  /** `reason` is one sentence, for the report and the log. */
  | { readonly kind: 'Refuse'; readonly code: RefusalCode; readonly reason: string };

/** Whether the box takes the goal state. Never throws, whatever is offered. */
export function acceptGoal(input: AcceptInput): Acceptance {
  const { current, offered } = input;
  const malformed = serviceOrNumbers(input);
  if (malformed !== undefined) return malformed;
  if (current !== undefined && isSame(current, offered)) return { kind: 'Keep' };
  return order(current, offered) ?? contents(input) ?? { kind: 'Accept' };
}

function serviceOrNumbers({ service, offered }: AcceptInput): Acceptance | undefined {
  if (offered.service !== service) {
    return refuse(
      'WrongService',
      `the goal state is of the service ${excerpt(offered.service)}; this watcher runs delegates of ${service}`,
    );
  }
  const { generation, replaces } = offered;
  if (!isWhole(generation, 1) || !isWhole(replaces, 0)) {
    const reason = `generation ${excerpt(generation)} that replaces ${excerpt(replaces)} must be whole numbers up to ${MAX_GENERATION}, the first at least 1`;
    return refuse('MalformedGeneration', reason);
  }
  return undefined;
}

function isWhole(value: number, from: number): boolean {
  return Number.isSafeInteger(value) && value >= from && value <= MAX_GENERATION;
}

/**
 * An older one never undoes a newer one. The same generation with other content comes only where the box has told of
 * another limit or group, and then it names what it replaces.
 */
function order(current: GoalState | undefined, { generation, replaces }: GoalState): Acceptance | undefined {
  const applied = current?.generation ?? 0;
  if (generation < applied) {
    return refuse(
      'StaleGeneration',
      `generation ${generation} is older than ${applied}, which this box works towards`,
    );
  }
  if (replaces !== applied) {
    const reason = `generation ${generation} replaces ${replaces}, and this box works towards ${applied}`;
    return refuse('WrongReplaces', reason);
  }
  return undefined;
}

function contents({ service, offered, policy }: AcceptInput): Acceptance | undefined {
  const { versions, decommission, generation } = offered;
  const name = `generation ${generation}`;
  if (decommission && versions.length > 0) {
    return refuse(
      'VersionsInDecommission',
      `${name} orders decommission and lists ${versions.length} versions`,
    );
  }
  if (decommission) {
    const reason = `${name} orders decommission, which the policy of this box does not allow`;
    return policy.allowDecommission ? undefined : refuse('DecommissionNotAllowed', reason);
  }
  if (versions.length === 0) {
    return refuse('NothingToRun', `${name} lists no version and does not order decommission`);
  }
  const limit = Math.min(policy.maxVersions, MAX_GOAL_VERSIONS);
  if (versions.length > limit) {
    return refuse(
      'TooManyVersions',
      `${name} lists ${versions.length} versions; this box runs at most ${limit}`,
    );
  }
  const names = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const problem = goalVersionProblem({ ...version, service, maxSize: policy.maxArtifactSize });
    if (problem !== undefined) {
      return refuse('MalformedVersion', `${name}, versions[${index}]: ${problem}`);
    }
    if (names.has(version.version)) {
      return refuse('DuplicateVersion', `${name} lists ${version.version} twice`);
    }
    names.add(version.version);
  }
  return undefined;
}

/** Where the generation is the same, what it replaced when it was made is no matter. */
function isSame(current: GoalState, offered: GoalState): boolean {
  return (
    current.generation === offered.generation &&
    current.decommission === offered.decommission &&
    current.versions.length === offered.versions.length &&
    contentOf(current) === contentOf(offered)
  );
}

function contentOf({ versions }: GoalState): string {
  return JSON.stringify(
    versions.map(({ version, artifact, attempt = 0 }) => {
      const { service, version: of, url, sha256, size, signature, command } = artifact;
      return [version, attempt, service, of, url, sha256, size, signature, command];
    }),
  );
}

function refuse(code: RefusalCode, reason: string): Acceptance {
  return { kind: 'Refuse', code, reason };
}
