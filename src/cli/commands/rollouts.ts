/** `get rollout`, `get rollouts`, `get measurements`: rollouts, once or as they change. */
import { toJsonString } from '@bufbuild/protobuf';
import {
  GetRolloutResponseSchema,
  ListMeasurementsResponseSchema,
  ListRolloutsResponseSchema,
  type WatchRolloutResponse,
  WatchRolloutResponseSchema,
} from '../../gen/switchyard/admin/v1/rollout_calls_pb.js';
import type { RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { follow } from '../follow.ts';
import { isLive, redrawn, untilInterrupted } from '../live.ts';
import { isForMachines, printList, printMessage } from '../output.ts';
import { rolloutIdOf } from '../rollout-id.ts';
import { type Context, note, print } from '../shell.ts';
import { type Frame, rolloutLines } from '../views/rollout.ts';
import { RolloutChanges } from '../views/rollout-changes.ts';
import { measurementsView, rolloutsView } from '../views/rollout-lists.ts';

export async function getRollout(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('getRollout', { service }, soon()),
  );
  if (isForMachines(context)) await printMessage(context, GetRolloutResponseSchema, message);
  else if (message.view !== undefined) print(context, shown(context, message.view).join('\n'));
  return EXIT.ok;
}

function shown(context: Context, view: RolloutView): string[] {
  return context.options.output === 'name'
    ? [`rollout/${view.rollout?.id ?? ''}`]
    : rolloutLines(view, frameOf(context));
}

/** As wide as the terminal; without an end in a pipe. */
function frameOf({ paint, options, shell }: Context): Frame {
  const { isTTY, columns } = shell.stdout;
  return { paint, now: Date.now(), wide: options.output === 'wide', ...(isTTY && { width: columns }) };
}

export async function watchRollout(context: Context, service: string): Promise<ExitCode> {
  const show = watcher(context, service);
  const interrupted = untilInterrupted();
  await withClient(context, 'read', async (client) => {
    const begin = () => client.watch('watchRollout', { service }, interrupted);
    for await (const message of follow(context, begin, interrupted)) show(message);
  });
  return EXIT.ok;
}

function watcher(context: Context, service: string): (message: WatchRolloutResponse) => void {
  const none = `${service} has had no rollout yet; waiting for one`;
  if (isForMachines(context)) {
    return (message) =>
      print(context, toJsonString(WatchRolloutResponseSchema, message, { alwaysEmitImplicit: true }));
  }
  if (isLive(context)) {
    return redrawn(context, ({ view }: WatchRolloutResponse, { screen, now }) =>
      view === undefined
        ? [none]
        : rolloutLines(view, { ...frameOf(context), now, width: screen.width, height: screen.height }),
    );
  }
  const changes = new RolloutChanges();
  return ({ view }) => {
    if (view === undefined) return note(context, none);
    const lines =
      context.options.output === 'name' ? shown(context, view) : changes.next(view, frameOf(context));
    if (lines.length > 0) print(context, lines.join('\n'));
  };
}

export async function getRollouts(
  context: Context,
  service: string,
  { limit }: { readonly limit: number },
): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('listRollouts', { service, limit }, soon()),
  );
  const list = { rows: message.rollouts, schema: ListRolloutsResponseSchema, message };
  await printList(context, rolloutsView(context.paint, Date.now()), list);
  return EXIT.ok;
}

/** `subject`: the id of a rollout, or a service whose last one is meant. */
export async function getMeasurements(context: Context, subject: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', async (client) =>
    client.call('listMeasurements', { rollout: await rolloutIdOf(client, subject) }, soon()),
  );
  const list = { rows: message.measurements, schema: ListMeasurementsResponseSchema, message };
  await printList(context, measurementsView(context.paint, Date.now()), list);
  return EXIT.ok;
}
