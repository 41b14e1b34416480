/**
 * The calls that look on. A view is read when the reader asks for the next message and something has changed since
 * the last, so changes coalesce by themselves; equal views are not sent again. A rollout is looked at again from time to
 * time too: what is measured changes without anybody's doing. Events are read page by page from the
 * store, each once, in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { create } from '@bufbuild/protobuf';
import {
  WatchProxiesResponseSchema,
  WatchServicesResponseSchema,
} from '../gen/switchyard/admin/v1/admin_service_pb.js';
import { WatchDelegatesResponseSchema } from '../gen/switchyard/admin/v1/delegates_pb.js';
import { WatchRolloutResponseSchema } from '../gen/switchyard/admin/v1/rollout_calls_pb.js';
import type { Milliseconds } from '../model/instant.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import { OperationError, type Operations } from '../operations/types.ts';
import type { Handlers } from './contract.ts';
import { delegatesMessages } from './delegates.ts';
import { exact, named, optionalService } from './parse.ts';
import { proxiesMessage, type ReadSources } from './reads.ts';
import { rolloutMessage } from './rollout-reads.ts';
import { eventToMessage, serviceToMessage } from './views.ts';

export type WatchHandlers = Pick<
  Handlers,
  'watchServices' | 'watchProxies' | 'watchRollout' | 'watchDelegates' | 'watchEvents'
>;

/** Time in which changes are gathered into one message, in milliseconds. */
const HOLD_OFF: Milliseconds = 50;
/** How long a view of measured things may stand without a look at what has become of them. */
const MEASURED_ANEW: Milliseconds = 2_000;
const PAGE = 200;

export function watchHandlers(sources: ReadSources): WatchHandlers {
  const { operations } = sources;
  return {
    watchServices({ service }, { signal }) {
      const only = optionalService('service', service);
      return views({
        operations,
        signal,
        read: () =>
          create(WatchServicesResponseSchema, {
            services: operations
              .services()
              .filter((view) => only === undefined || view.record.name === only)
              .map((view) => serviceToMessage(view, 'withoutDocument')),
          }),
      });
    },
    watchProxies(_, { signal }) {
      return views({
        operations,
        signal,
        read: () => create(WatchProxiesResponseSchema, proxiesMessage(sources)),
      });
    },
    watchRollout({ service }, { signal }) {
      const name = named('service', service, serviceName);
      return views({
        operations,
        signal,
        atLeastEvery: MEASURED_ANEW,
        read: async () => create(WatchRolloutResponseSchema, await rolloutIfAny(operations, name)),
      });
    },
    watchDelegates({ service }, { signal }) {
      const only = optionalService('service', service);
      return views({
        operations,
        signal,
        atLeastEvery: MEASURED_ANEW,
        read: () => create(WatchDelegatesResponseSchema, { views: delegatesMessages(operations, only) }),
      });
    },
    watchEvents({ service, afterSequence }, { signal }) {
      const only = optionalService('service', service);
      return events({
        operations,
        signal,
        query: only === undefined ? {} : { service: only },
        after: afterSequence === undefined ? undefined : exact('after_sequence', afterSequence),
      });
    },
  };
}

/** Throws NotFound where there is no such service; a service without a rollout has none yet. */
async function rolloutIfAny(operations: Operations, service: ServiceName) {
  operations.service(service);
  try {
    return { view: await rolloutMessage(operations, service) };
  } catch (error) {
    if (error instanceof OperationError && error.code === 'NotFound') return {};
    throw error;
  }
}

interface Watch {
  readonly operations: Operations;
  readonly signal: AbortSignal;
  /** Absent: only after changes. */
  readonly atLeastEvery?: Milliseconds;
}

async function* views<View>(watch: Watch & { readonly read: () => View | Promise<View> }) {
  let last: View | undefined;
  for await (const _ of changes(watch)) {
    const view = await watch.read();
    if (last !== undefined && isDeepStrictEqual(view, last)) continue;
    last = view;
    yield view;
  }
}

async function* events(watch: {
  operations: Operations;
  signal: AbortSignal;
  query: Partial<Parameters<Operations['events']>[0]>;
  after: number | undefined;
}) {
  const { operations, query } = watch;
  let after = watch.after ?? (await newestSequence(operations));
  for await (const _ of changes(watch)) {
    let page: Awaited<ReturnType<Operations['events']>>;
    do {
      page = await operations.events({ ...query, afterSequence: after, limit: PAGE });
      for (const event of page) {
        yield { event: eventToMessage(event) };
        after = event.sequence;
      }
    } while (page.length === PAGE);
  }
}

async function newestSequence(operations: Operations): Promise<number> {
  const [newest] = await operations.events({ limit: 1, newest: true });
  return newest?.sequence ?? 0;
}

/** Yields at once, then once for any number of changes since the last pull, until the signal is aborted. */
async function* changes({ operations, signal, atLeastEvery }: Watch): AsyncGenerator<void> {
  let wake = Promise.withResolvers<void>();
  const unsubscribe = operations.subscribe(() => wake.resolve());
  const stop = () => wake.resolve();
  signal.addEventListener('abort', stop);
  const ticking = atLeastEvery === undefined ? undefined : setInterval(() => wake.resolve(), atLeastEvery);
  try {
    while (!signal.aborted) {
      yield;
      await wake.promise;
      await sleep(HOLD_OFF, undefined, { signal }).catch(() => undefined);
      wake = Promise.withResolvers<void>();
    }
  } finally {
    clearInterval(ticking);
    signal.removeEventListener('abort', stop);
    unsubscribe();
  }
}
