/** `get … -w`: lists that stay up to date until Ctrl-C. */
import { type DescMessage, type MessageShape, toJsonString } from '@bufbuild/protobuf';
import type { AdminClient } from '../../admin/client.ts';
import {
  WatchEventsResponseSchema,
  WatchProxiesResponseSchema,
  WatchServicesResponseSchema,
} from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import { WatchDelegatesResponseSchema } from '../../gen/switchyard/admin/v1/delegates_pb.js';
import type { Service } from '../../gen/switchyard/admin/v1/resources_pb.js';
import { withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { follow } from '../follow.ts';
import { ChangedLines, isLive, redrawn, untilInterrupted } from '../live.ts';
import { isForMachines, type ListView, listLines } from '../output.ts';
import { type Context, note, print } from '../shell.ts';
import { tableLines } from '../table.ts';
import { boxesView, boxRows, tenantRows, tenantsView } from '../views/delegates.ts';
import { eventsView, proxiesView } from '../views/proxies.ts';
import { holdsView, servicesView, versionsView } from '../views/services.ts';
import { chosen, type DelegateFlags } from './delegates.ts';
import type { EventFlags } from './get.ts';

export function watchServices(context: Context, service: string): Promise<ExitCode> {
  return watchServiceRows(
    context,
    service,
    (services) => services,
    () => servicesView(context.paint),
  );
}

export function watchVersions(context: Context, service: string): Promise<ExitCode> {
  const view = (now: number) => versionsView(context.paint, now);
  return watchServiceRows(context, service, (services) => services.flatMap(({ versions }) => versions), view);
}

export function watchHolds(context: Context, service: string): Promise<ExitCode> {
  return watchServiceRows(context, service, (services) => services.flatMap(({ holds }) => holds), holdsView);
}

export function watchProxies(context: Context): Promise<ExitCode> {
  return watchRows(context, {
    messages: (client, signal) => client.watch('watchProxies', {}, signal),
    schema: WatchProxiesResponseSchema,
    rows: ({ proxies }) => proxies,
    view: (now) => proxiesView(context.paint, now),
  });
}

export function watchDelegates(context: Context, service: string, flags: DelegateFlags): Promise<ExitCode> {
  const watched = {
    messages: (client: AdminClient, signal: AbortSignal) =>
      client.watch('watchDelegates', { service }, signal),
    schema: WatchDelegatesResponseSchema,
  };
  if (flags.byTenant === true) {
    return watchRows(context, { ...watched, rows: ({ views }) => tenantRows(views), view: tenantsView });
  }
  return watchRows(context, {
    ...watched,
    rows: ({ views }) => boxRows(views.map((view) => chosen(view, flags))),
    view: (now) => boxesView(context.paint, now),
  });
}

function watchServiceRows<Row>(
  context: Context,
  service: string,
  rows: (services: readonly Service[]) => readonly Row[],
  view: (now: number) => ListView<Row>,
): Promise<ExitCode> {
  return watchRows(context, {
    messages: (client, signal) => client.watch('watchServices', { service }, signal),
    schema: WatchServicesResponseSchema,
    rows: ({ services }) => rows(services),
    view,
  });
}

interface RowWatch<Row, Desc extends DescMessage> {
  readonly messages: (client: AdminClient, signal: AbortSignal) => AsyncIterable<MessageShape<Desc>>;
  readonly schema: Desc;
  readonly rows: (message: MessageShape<Desc>) => readonly Row[];
  readonly view: (now: number) => ListView<Row>;
}

async function watchRows<Row, Desc extends DescMessage>(
  context: Context,
  watch: RowWatch<Row, Desc>,
): Promise<ExitCode> {
  const show = isForMachines(context)
    ? (message: MessageShape<Desc>) =>
        print(context, toJsonString(watch.schema, message, { alwaysEmitImplicit: true }))
    : isLive(context)
      ? redrawn(context, (message: MessageShape<Desc>, { now }) => {
          const rows = watch.rows(message);
          const view = watch.view(now);
          return rows.length === 0 ? [view.empty] : listLines(context, view, rows);
        })
      : printedOnChange(context, watch);
  const interrupted = untilInterrupted();
  await withClient(context, 'read', async (client) => {
    const begin = () => watch.messages(client, interrupted);
    for await (const message of follow(context, begin, interrupted)) show(message);
  });
  return EXIT.ok;
}

/** Prints the headings once, then each row when it is new or has changed; that a row only grew older is no change. */
function printedOnChange<Row, Desc extends DescMessage>(context: Context, watch: RowWatch<Row, Desc>) {
  const changed = new ChangedLines();
  let hasHeadings = false;
  return (message: MessageShape<Desc>): void => {
    const rows = watch.rows(message);
    const view = watch.view(Date.now());
    const columns = view.columns.filter(({ heading }) => !AGEING.has(heading));
    const keys = tableLines(columns, rows, { wide: true }).slice(1);
    const [headings = '', ...lines] = listLines(context, view, rows);
    const fresh = changed.next(
      lines.map((text, index) => ({ text, key: (keys[index] ?? '').replaceAll(/ +/g, ' ') })),
    );
    if (rows.length === 0) note(context, view.empty);
    else if (!hasHeadings) print(context, headings);
    hasHeadings ||= rows.length > 0;
    if (fresh.length > 0) print(context, fresh.join('\n'));
  };
}

/** Columns that change with time alone. */
const AGEING = new Set(['AGE', 'SEEN', 'EXPIRES IN']);

/** Prints the newest events, then each new one. A connection that breaks is made again, and none is lost or repeated. */
export async function watchEvents(context: Context, service: string, flags: EventFlags): Promise<ExitCode> {
  const interrupted = untilInterrupted();
  const view = eventsView();
  let hasHeadings = false;
  const show = (message: MessageShape<typeof WatchEventsResponseSchema>): void => {
    const { event } = message;
    if (event === undefined) return;
    if (isForMachines(context)) return print(context, toJsonString(WatchEventsResponseSchema, message));
    if (context.options.output === 'name') return print(context, view.name(event));
    const [headings = '', line = ''] = listLines(context, view, [event]);
    print(context, hasHeadings ? line : `${headings}\n${line}`);
    hasHeadings = true;
  };
  await withClient(context, 'read', async (client) => {
    let after = flags.after ?? (await sequenceBefore(client, service, flags.limit));
    const begin = () => client.watch('watchEvents', { service, afterSequence: after }, interrupted);
    for await (const message of follow(context, begin, interrupted)) {
      show(message);
      after = message.event?.sequence ?? after;
    }
  });
  return EXIT.ok;
}

/** The sequence number after which the newest `limit` events come. */
async function sequenceBefore(client: AdminClient, service: string, limit: number): Promise<bigint> {
  const { events } = await client.call('listEvents', { service, limit });
  const [first] = events;
  return first === undefined ? 0n : first.sequence - 1n;
}
