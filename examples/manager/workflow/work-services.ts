/** Switchyard's questions about open work and delegates, answered by the workflow library. */
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from '@connectrpc/connect';
import {
  DelegateDirectoryService,
  VersionWorkService,
} from '../../../src/gen/switchyard/work/v1/workflow_pb.js';
import { delegateDirectoryHandlers } from '../../../src/workflow/grpc/delegate-directory.ts';
import { InvalidRequestError } from '../../../src/workflow/grpc/invalid-request.ts';
import { versionWorkHandlers } from '../../../src/workflow/grpc/version-work.ts';
import { PROXIED_HEADER } from '../instance.ts';
import type { Engine } from './engine.ts';

/** Registers both services. Switchyard calls them on the instance's own port; no proxy may pass them on. */
export function workServices(router: ConnectRouter, { store }: Engine): void {
  const work = versionWorkHandlers(store);
  const directory = delegateDirectoryHandlers(store);
  router.service(VersionWorkService, {
    fenceAndCount: (request, context) => answered(context, () => work.fenceAndCount(request)),
    liftVersion: (request, context) => answered(context, () => work.liftVersion(request)),
    countVersion: (request, context) => answered(context, () => work.countVersion(request)),
  });
  router.service(DelegateDirectoryService, {
    listDelegates: (request, context) => answered(context, () => directory.listDelegates(request)),
  });
}

/** A store that does not answer is no zero: the caller asks again. */
async function answered<Answer>(
  { requestHeader }: HandlerContext,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  if (requestHeader.has(PROXIED_HEADER)) {
    throw new ConnectError('only those who speak to the instance directly may ask', Code.PermissionDenied);
  }
  try {
    return await answer();
  } catch (error) {
    if (error instanceof InvalidRequestError) throw new ConnectError(error.message, Code.InvalidArgument);
    throw new ConnectError(error instanceof Error ? error.message : String(error), Code.Unavailable);
  }
}
