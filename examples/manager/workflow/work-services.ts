/** Switchyard's questions about open work and delegates, answered by the workflow library. */
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import {
  DelegateDirectoryService,
  VersionWorkService,
} from '../../../src/gen/switchyard/work/v1/workflow_pb.js';
import { delegateDirectoryHandlers } from '../../../src/workflow/grpc/delegate-directory.ts';
import { InvalidRequestError } from '../../../src/workflow/grpc/invalid-request.ts';
import { versionWorkHandlers } from '../../../src/workflow/grpc/version-work.ts';
import type { Engine } from './engine.ts';

/** Registers both services. */
export function workServices(router: ConnectRouter, { store }: Engine): void {
  const work = versionWorkHandlers(store);
  const directory = delegateDirectoryHandlers(store);
  router.service(VersionWorkService, {
    fenceAndCount: (request) => answered(work.fenceAndCount(request)),
    liftVersion: (request) => answered(work.liftVersion(request)),
    countVersion: (request) => answered(work.countVersion(request)),
  });
  router.service(DelegateDirectoryService, {
    listDelegates: (request) => answered(directory.listDelegates(request)),
  });
}

/** A store that does not answer is no zero: the caller asks again. */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof InvalidRequestError) throw new ConnectError(error.message, Code.InvalidArgument);
    throw new ConnectError(error instanceof Error ? error.message : String(error), Code.Unavailable);
  }
}
