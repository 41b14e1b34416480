/**
 * `switchyard.work.v1.VersionWorkService` over a workflow store, as functions from message to message: register them with
 * the gRPC server of your choice. Any manager answers for any version, also for one whose managers are dead.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type {
  CountVersionRequest,
  CountVersionResponseSchema,
  FenceAndCountRequest,
  FenceAndCountResponseSchema,
  LiftVersionRequest,
  LiftVersionResponseSchema,
  VersionWorkSchema,
} from '../../gen/switchyard/work/v1/workflow_pb.js';
import { InvalidNameError, type VersionName, versionName } from '../../model/names.ts';
import type { Execution, VersionWork } from '../../model/workflow.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { InvalidRequestError } from './invalid-request.ts';

/** As many of the oldest executions are named. */
const NAMED_AT_MOST = 100;

/** Each throws InvalidRequestError (INVALID_ARGUMENT), or what the store throws. */
export interface VersionWorkHandlers {
  fenceAndCount(request: FenceAndCountRequest): Promise<MessageInitShape<typeof FenceAndCountResponseSchema>>;
  liftVersion(request: LiftVersionRequest): Promise<MessageInitShape<typeof LiftVersionResponseSchema>>;
  countVersion(request: CountVersionRequest): Promise<MessageInitShape<typeof CountVersionResponseSchema>>;
}

export function versionWorkHandlers(store: WorkflowStore): VersionWorkHandlers {
  return {
    async fenceAndCount({ version }) {
      return { work: await workMessage(store, await store.fenceAndCount(parseVersion(version))) };
    },
    async liftVersion({ version }) {
      await store.lift(parseVersion(version));
      return { version };
    },
    async countVersion({ version }) {
      return { work: await workMessage(store, await store.count(parseVersion(version))) };
    },
  };
}

/** Throws InvalidRequestError. */
export function parseVersion(text: string): VersionName {
  try {
    return versionName(text);
  } catch (error) {
    if (error instanceof InvalidNameError) throw new InvalidRequestError(`version: ${error.message}`);
    throw error;
  }
}

async function workMessage(
  store: WorkflowStore,
  work: VersionWork,
): Promise<MessageInitShape<typeof VersionWorkSchema>> {
  // For the eyes of an operator, beside the count: it need not be of the same moment.
  const open = work.executions === 0 ? [] : await store.oldestOpen(work.version, NAMED_AT_MOST);
  return {
    version: work.version,
    asOf: timestampFromMs(work.asOf),
    ...(work.fencedSince !== undefined && { fencedSince: timestampFromMs(work.fencedSince) }),
    executions: BigInt(work.executions),
    eventsQueued: BigInt(work.events.queued),
    eventsLeased: BigInt(work.events.leased),
    eventsDelayed: BigInt(work.events.delayed),
    tasksQueued: BigInt(work.tasks.queued),
    tasksLeased: BigInt(work.tasks.leased),
    tasksDelayed: BigInt(work.tasks.delayed),
    deadLetters: BigInt(work.deadLetters),
    open: open.map(openWork),
  };
}

function openWork({ id, startedAt }: Execution) {
  return { kind: 'execution', id, since: timestampFromMs(startedAt) };
}
