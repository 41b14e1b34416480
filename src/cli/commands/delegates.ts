/** `get delegates` and `delegates …`: what runs on which box, how a candidate reaches the boxes, and what they were told. */
import { readFile } from 'node:fs/promises';
import { InvalidManifestError, parseManifest } from '../../artifact/manifest.ts';
import {
  type DelegatesView,
  GetGoalStatesResponseSchema,
  ListDelegatesResponseSchema,
  ListWavesResponseSchema,
} from '../../gen/switchyard/admin/v1/delegates_pb.js';
import { visible } from '../../model/text.ts';
import { soon, withClient } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printList } from '../output.ts';
import { type Context, note } from '../shell.ts';
import {
  boxesView,
  boxRows,
  generationsView,
  tenantRows,
  tenantsView,
  wavesView,
} from '../views/delegates.ts';
import { type ChangeFlags, runChange } from './change.ts';

/** How boxes are listed. */
export interface DelegateFlags {
  /** A line for each tenant. */
  readonly byTenant?: boolean;
  /** Only those whose watcher is away or that do not run what they should. */
  readonly troubled?: boolean;
}

export async function getDelegates(
  context: Context,
  service: string,
  flags: DelegateFlags,
): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('listDelegates', { service }, soon()),
  );
  const views = message.views.map((view) => chosen(view, flags));
  const list = { schema: ListDelegatesResponseSchema, message };
  if (flags.byTenant === true) await printList(context, tenantsView(), { ...list, rows: tenantRows(views) });
  else await printList(context, boxesView(context.paint, Date.now()), { ...list, rows: boxRows(views) });
  for (const { service: name, problems } of message.views) {
    for (const problem of problems) note(context, `${name}: ${visible(problem)}`);
  }
  return EXIT.ok;
}

/** The boxes that are asked for. */
export function chosen(view: DelegatesView, { troubled }: DelegateFlags): DelegatesView {
  if (troubled !== true) return view;
  const boxes = view.boxes.filter(
    ({ watcher, versions }) =>
      watcher?.connected !== true ||
      watcher.refusal !== '' ||
      versions.some(({ state }) => state !== 'Ready' && state !== 'Draining'),
  );
  return { ...view, boxes };
}

export async function showWaves(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('listWaves', { service }, soon()),
  );
  const rows = message.waves.flatMap((waves) => waves.waves.map((wave) => ({ waves, wave })));
  await printList(context, wavesView(context.paint), { rows, schema: ListWavesResponseSchema, message });
  if (isForMachines(context)) return EXIT.ok;
  for (const { candidate, because, halt, done } of message.waves) {
    if (!done) note(context, `${candidate}: ${visible(halt?.because ?? because)}`);
  }
  return EXIT.ok;
}

export async function showHistory(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('getGoalStates', { service }, soon()),
  );
  const list = { rows: message.generations, schema: GetGoalStatesResponseSchema, message };
  await printList(context, generationsView(), list);
  return EXIT.ok;
}

/** Tells the controller what boxes fetch for a version: the manifest that `artifact sign` or `artifact publish` wrote. */
export async function publishToBoxes(context: Context, file: string, flags: ChangeFlags): Promise<ExitCode> {
  const { service, size, command, ...facts } = await manifestOf(file);
  return runChange(context, {
    method: 'publishArtifact',
    service,
    flags,
    fields: { artifact: { ...facts, size: BigInt(size), command: [...command] } },
  });
}

async function manifestOf(file: string) {
  try {
    return parseManifest(await readFile(file, 'utf8'));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof InvalidManifestError) throw new CliError(EXIT.usage, `${file}: ${message}`);
    throw new CliError(EXIT.usage, `cannot read ${file}: ${message}`, [
      'give the manifest that was written beside the artifact: switchyard artifact sign',
    ]);
  }
}
