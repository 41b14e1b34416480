/**
 * The calls that look on. A view is read when the reader asks for the next message and something has changed since
 * the last, so changes coalesce by themselves; equal views are not sent again. Events are read page by page from the
 * store, each once, in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { create } from '@bufbuild/protobuf';
import {
  WatchProxiesResponseSchema,
  WatchServicesResponseSchema,
} from '../gen/switchyard/admin/v1/admin_service_pb.js';
import type { Operations } from '../operations/types.ts';
import type { Handlers } from './contract.ts';
import { exact, optionalService } from './parse.ts';
import { proxiesMessage, type ReadSources } from './reads.ts';
import { eventToMessage, serviceToMessage } from './views.ts';

export type WatchHandlers = Pick<Handlers, 'watchServices' | 'watchProxies' | 'watchEvents'>;

/** Time in which changes are gathered into one message, in milliseconds. */
const HOLD_OFF = 50;
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

async function* views<View>(watch: { operations: Operations; signal: AbortSignal; read: () => View }) {
  let last: View | undefined;
  for await (const _ of changes(watch)) {
    const view = watch.read();
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
async function* changes({
  operations,
  signal,
}: {
  operations: Operations;
  signal: AbortSignal;
}): AsyncGenerator<void> {
  let wake = Promise.withResolvers<void>();
  const unsubscribe = operations.subscribe(() => wake.resolve());
  const stop = () => wake.resolve();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      yield;
      await wake.promise;
      await sleep(HOLD_OFF, undefined, { signal }).catch(() => undefined);
      wake = Promise.withResolvers<void>();
    }
  } finally {
    signal.removeEventListener('abort', stop);
    unsubscribe();
  }
}
