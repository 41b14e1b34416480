/** `get`: lists, once. */

import {
  ListEventsResponseSchema,
  ListHoldsResponseSchema,
  ListProxiesResponseSchema,
  ListServicesResponseSchema,
  ListVersionsResponseSchema,
} from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { printData, printList } from '../output.ts';
import { type Context, print } from '../shell.ts';
import { eventsView, proxiesView } from '../views/proxies.ts';
import { holdsView, servicesView, versionsView } from '../views/services.ts';

export async function getServices(context: Context, names: readonly string[]): Promise<ExitCode> {
  const message = await withClient(context, 'read', async (client) => {
    if (names.length === 0) return client.call('listServices', {}, soon());
    const found = await Promise.all(names.map((name) => client.call('getService', { name }, soon())));
    return {
      services: found.flatMap(({ service }) => service ?? []),
      $typeName: ListServicesResponseSchema.typeName,
    };
  });
  await printList(context, servicesView(context.paint), {
    rows: message.services,
    schema: ListServicesResponseSchema,
    message,
  });
  return EXIT.ok;
}

export async function getVersions(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('listVersions', { service }, soon()),
  );
  await printList(context, versionsView(context.paint, Date.now()), {
    rows: message.versions,
    schema: ListVersionsResponseSchema,
    message,
  });
  return EXIT.ok;
}

export async function getHolds(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('listHolds', { service }, soon()),
  );
  await printList(context, holdsView(Date.now()), {
    rows: message.holds,
    schema: ListHoldsResponseSchema,
    message,
  });
  return EXIT.ok;
}

export async function getProxies(context: Context): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) => client.call('listProxies', {}, soon()));
  await printList(context, proxiesView(context.paint, Date.now()), {
    rows: message.proxies,
    schema: ListProxiesResponseSchema,
    message,
  });
  return EXIT.ok;
}

/** Which events: the newest, or those after a sequence number. */
export interface EventFlags {
  readonly limit: number;
  readonly after?: bigint;
}

export async function getEvents(context: Context, service: string, flags: EventFlags): Promise<ExitCode> {
  const { limit, after } = flags;
  const message = await withClient(context, 'read', (client) =>
    client.call(
      'listEvents',
      { service, limit, ...(after !== undefined && { afterSequence: after }) },
      soon(),
    ),
  );
  await printList(context, eventsView(), { rows: message.events, schema: ListEventsResponseSchema, message });
  return EXIT.ok;
}

/** The routing table: JSON, or YAML where asked for. */
export async function getTable(context: Context): Promise<ExitCode> {
  const { json } = await withClient(context, 'read', (client) => client.call('getTable', {}, soon()));
  await printData(context, JSON.parse(json));
  return EXIT.ok;
}

/** The document as it was applied, ready for `apply -f -`. */
export async function getSpec(context: Context, name: string): Promise<ExitCode> {
  const { service } = await withClient(context, 'read', (client) =>
    client.call('getService', { name }, soon()),
  );
  print(context, service?.document ?? '');
  return EXIT.ok;
}
