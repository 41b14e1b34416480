/**
 * Between the model and the messages of WatcherService. What comes from the controller is turned into the words of the
 * model and not trusted: whether it may be followed is asked of it as a whole, afterwards.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type FollowResponse,
  type GoalState as GoalStateMessage,
  type IdentitySchema,
  type PollResponse,
  type ReportSchema,
  BoxVersionState as StateNumber,
} from '../../gen/switchyard/watcher/v1/watcher_pb.js';
import {
  type BoxVersionState,
  type GoalState,
  POLL_INTERVAL,
  type WatcherIdentity,
  type WatcherReport,
} from '../../model/goal-state.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { ServiceName, VersionName } from '../../model/names.ts';

/** What a controller answered. */
export interface Answer {
  /** Absent: it has none for this box, for this reason. Nothing is to be stopped for that. */
  readonly goal?: GoalState;
  readonly reason: string;
  /** How often it wants to hear of this box. */
  readonly interval: Milliseconds;
}

const STATES = {
  WaitingForWindow: StateNumber.WAITING_FOR_WINDOW,
  Refused: StateNumber.REFUSED,
  Fetching: StateNumber.FETCHING,
  ArtifactFailed: StateNumber.ARTIFACT_FAILED,
  Starting: StateNumber.STARTING,
  Ready: StateNumber.READY,
  Unready: StateNumber.UNREADY,
  CrashLooping: StateNumber.CRASH_LOOPING,
  Switching: StateNumber.SWITCHING,
  Draining: StateNumber.DRAINING,
} as const satisfies Record<BoxVersionState, StateNumber>;

/** A controller that asked for less would be asked all the time, and one that asked for more would know nothing. */
const SHORTEST: Milliseconds = 1_000;
const LONGEST: Milliseconds = 10 * 60_000;

export function identityMessage(identity: WatcherIdentity): MessageInitShape<typeof IdentitySchema> {
  return { ...identity, tags: [...identity.tags] };
}

export function reportMessage(report: WatcherReport): MessageInitShape<typeof ReportSchema> {
  const { seen, applied, refusal, versions, diskFree, windowOpens } = report;
  return {
    seen: BigInt(seen),
    applied: BigInt(applied),
    refusal,
    versions: versions.map(({ state, since, ...rest }) => ({
      ...rest,
      state: STATES[state],
      since: timestampFromMs(since),
    })),
    diskFree: BigInt(diskFree),
    ...(windowOpens !== undefined && { windowOpens: timestampFromMs(windowOpens) }),
  };
}

export function answerOfFollow({ goalState, reason, heartbeat }: FollowResponse): Answer {
  const asked = heartbeat === undefined ? POLL_INTERVAL : durationMs(heartbeat);
  return { ...(goalState && { goal: goalOf(goalState) }), reason, interval: bounded(asked) };
}

export function answerOfPoll({ goalState, reason, pollAfter }: PollResponse): Answer {
  const asked = pollAfter === undefined ? POLL_INTERVAL : durationMs(pollAfter);
  return { ...(goalState && { goal: goalOf(goalState) }), reason, interval: bounded(asked) };
}

/** Names are taken as they come: `acceptGoal` checks them. */
function goalOf({ service, generation, replaces, versions, decommission }: GoalStateMessage): GoalState {
  return {
    service: service as ServiceName,
    generation: Number(generation),
    replaces: Number(replaces),
    versions: versions.map(({ version, artifact, attempt }) => ({
      version: version as VersionName,
      ...(attempt > 0 && { attempt }),
      artifact: {
        service: (artifact?.service ?? '') as ServiceName,
        version: (artifact?.version ?? '') as VersionName,
        url: artifact?.url ?? '',
        sha256: artifact?.sha256 ?? '',
        size: Number(artifact?.size ?? 0),
        signature: artifact?.signature ?? '',
        command: artifact?.command ?? [],
      },
    })),
    decommission,
  };
}

function bounded(asked: Milliseconds): Milliseconds {
  return Math.min(Math.max(asked, SHORTEST), LONGEST);
}
