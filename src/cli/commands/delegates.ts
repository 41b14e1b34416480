/** `get delegates`, `delegates waves show` and `delegates history`: what runs on which box, once or as it changes. */
import {
  GetGoalStatesResponseSchema,
  ListDelegatesResponseSchema,
  ListWavesResponseSchema,
  type DelegatesView,
  type ListDelegatesResponse,
} from '../../gen/switchyard/admin/v1/delegates_pb.js';
import { visible } from '../../model/text.ts';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { printList } from '../output.ts';
import { type Context, note, print } from '../shell.ts';
import { isForMachines, listLines } from '../output.ts';
import {
  boxesView,
  boxRows,
  generationsView,
  tenantRows,
  tenantsView,
  wavesView,
} from '../views/delegates.ts';

/** How boxes are listed. */
export interface DelegateFlags {
  readonly byTenant?: boolean;
  /** Only those that are not ready with a version that they should run. */
  readonly troubled?: boolean;
}

export async function getDelegates(
  context: Context,
  service: string,
  flags: DelegateFlags,
): Promise<ExitCode> {
  const messages = await withClient(context, 'read', async (client) => {
    const services =
      service === ''
        ? (await client.call('listServices', {}, soon())).services.map(({ name }) => name)
        : [service];
    return Promise.all(services.map((name) => client.call('listDelegates', { service: name }, soon())));
  });
  await show(context, messages, flags);
  return EXIT.ok;
}

async function show(
  context: Context,
  messages: readonly ListDelegatesResponse[],
  flags: DelegateFlags,
): Promise<void> {
  const views = messages.flatMap(({ view }) => view ?? []).map((view) => chosen(view, flags));
  const [first] = messages;
  const message =
    messages.length === 1 && first !== undefined
      ? first
      : { $typeName: ListDelegatesResponseSchema.typeName };
  const list = { schema: ListDelegatesResponseSchema, message };
  if (flags.byTenant === true) {
    await printList(context, tenantsView(), { ...list, rows: tenantRows(views) });
  } else {
    await printList(context, boxesView(context.paint, Date.now()), { ...list, rows: boxRows(views) });
  }
  for (const { service, problems } of views) {
    for (const problem of problems) note(context, `${service}: ${visible(problem)}`);
  }
}

function chosen(view: DelegatesView, { troubled }: DelegateFlags): DelegatesView {
  if (troubled !== true) return view;
  const boxes = view.boxes.filter(
    ({ watcher, versions }) =>
      watcher?.connected !== true ||
      watcher.refusal !== '' ||
      versions.some(({ state }) => state !== 'Ready' && state !== 'Draining'),
  );
  return { ...view, boxes };
}
