/** What watchers are told, as messages. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type {
  FollowResponseSchema,
  GoalStateSchema,
  PollResponseSchema,
} from '../gen/switchyard/watcher/v1/watcher_pb.js';
import type { GoalState, GoalVersion } from '../model/goal-state.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { GoalAnswer } from '../ports/watchers.ts';

/** The answer on a stream. */
export function followResponse(
  answer: GoalAnswer,
  heartbeat: Milliseconds,
): MessageInitShape<typeof FollowResponseSchema> {
  return { ...told(answer), heartbeat: durationFromMs(heartbeat) };
}

/** The answer to a poll. */
export function pollResponse(
  answer: GoalAnswer,
  pollAfter: Milliseconds,
): MessageInitShape<typeof PollResponseSchema> {
  return { ...told(answer), pollAfter: durationFromMs(pollAfter) };
}

function told(answer: GoalAnswer): {
  goalState?: MessageInitShape<typeof GoalStateSchema>;
  reason: string;
} {
  return answer.kind === 'Goal'
    ? { goalState: goalState(answer.goal), reason: '' }
    : { reason: answer.reason };
}

function goalState(goal: GoalState): MessageInitShape<typeof GoalStateSchema> {
  const { service, generation, replaces, versions, decommission } = goal;
  return {
    service,
    generation: BigInt(generation),
    replaces: BigInt(replaces),
    versions: versions.map(goalVersion),
    decommission,
  };
}

function goalVersion({ version, artifact, attempt = 0 }: GoalVersion) {
  return {
    version,
    artifact: { ...artifact, size: BigInt(artifact.size), command: [...artifact.command] },
    attempt,
  };
}
