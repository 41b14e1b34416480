/** Verbs about the controller itself: export, backup, down, version, and the open work of a version. */
import { resolve } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { CONTROLLER_STATE, wordOf } from '../../admin/enums.ts';
import { AdminError } from '../../admin/errors.ts';
import {
  GetInfoResponseSchema,
  GetOpenWorkResponseSchema,
} from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import type { OpenWork } from '../../gen/switchyard/admin/v1/resources_pb.js';
import { confirm } from '../confirm.ts';
import { soon, withClient } from '../connection.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, type ListView, listLines, printData, printMessage } from '../output.ts';
import { placeOf, placeText } from '../place.ts';
import { actorOf, type Context, print } from '../shell.ts';
import { age } from '../time.ts';
import { certificateText, splitText } from '../views/work.ts';
import { ANSWER_TIME } from './change.ts';

export interface ExportFlags {
  readonly adminAddress: string;
  readonly accessLog?: boolean;
}

export async function exportEnvoy(context: Context, flags: ExportFlags): Promise<ExitCode> {
  const { adminAddress, accessLog = false } = flags;
  const { config } = await withClient(context, 'read', (client) =>
    client.call('exportEnvoy', { adminAddress, accessLog }, soon()),
  );
  await printData(context, JSON.parse(config));
  return EXIT.ok;
}

/** A copy takes as long as the store is large, so there is no deadline. */
export async function backup(context: Context, file: string): Promise<ExitCode> {
  const path = resolve(file);
  await withClient(context, 'change', (client) => client.call('backup', { file: path }));
  print(context, `backed up to ${path}`);
  return EXIT.ok;
}

export interface DownFlags {
  readonly reason?: string;
  readonly yes?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
}

export async function down(context: Context, flags: DownFlags): Promise<ExitCode> {
  await confirm(context, {
    question: `Stop all instances that Switchyard runs, and the controller at ${placeText(placeOf(context))}?`,
    yes: flags.yes === true,
  });
  const { stopped } = await withClient(context, 'change', (client) =>
    client
      .call(
        'down',
        { actor: actorOf(context), reason: flags.reason ?? '', timeout: durationFromMs(flags.timeout) },
        new Date(Date.now() + flags.timeout + ANSWER_TIME),
      )
      .catch((error: unknown) => {
        throw isStillStopping(error) ? new CliError(EXIT.timeout, error.message) : error;
      }),
  );
  const instances = stopped.length === 1 ? '1 instance' : `${stopped.length} instances`;
  print(context, `stopped ${instances} and the controller`);
  return EXIT.ok;
}

/** The controller's own answer that the time was over; without a detail the connection broke. */
function isStillStopping(error: unknown): error is AdminError {
  return error instanceof AdminError && error.code === status.UNAVAILABLE && error.detail !== undefined;
}

export async function version(context: Context, ours: string): Promise<ExitCode> {
  const info = await withClient(context, 'read', (client) => client.call('getInfo', {}, soon())).catch(
    (error: unknown) => {
      if (error instanceof CliError) return undefined;
      throw error;
    },
  );
  if (isForMachines(context)) {
    if (info === undefined) await printData(context, { client: ours });
    else await printMessage(context, GetInfoResponseSchema, info);
    return EXIT.ok;
  }
  print(context, `client      ${ours}`);
  if (info === undefined) {
    print(context, `controller  none answers at ${placeText(placeOf(context))}`);
    return EXIT.ok;
  }
  const state = wordOf(CONTROLLER_STATE, info.state);
  print(context, `controller  ${info.version}, ${state}${info.reason === '' ? '' : ` (${info.reason})`}`);
  print(context, `started     ${age(info.started, Date.now())} ago, publication ${info.publication}`);
  print(context, `store       ${info.store}`);
  for (const { name, address } of info.endpoints) print(context, `${name.padEnd(12)}${address}`);
  return EXIT.ok;
}

export async function getWork(context: Context, service: string, versionName: string): Promise<ExitCode> {
  const answer = await withClient(context, 'read', (client) =>
    client.call('getOpenWork', { service, version: versionName }, soon()),
  );
  if (isForMachines(context)) await printMessage(context, GetOpenWorkResponseSchema, answer);
  const count = answer.work?.kind;
  if (count?.case !== 'counted') {
    throw new CliError(
      EXIT.failed,
      `the open work of ${service} ${versionName} is unknown: ${count?.value ?? 'no answer'}`,
    );
  }
  if (isForMachines(context)) return EXIT.ok;
  const { open, total, asOf, certificate, split } = count.value;
  if (open.length > 0) print(context, listLines(context, workView(Date.now()), open).join('\n'));
  const parts = total === 0n ? certificateText(certificate) : splitText(split);
  print(
    context,
    `${total} open on ${service} ${versionName}, counted ${age(asOf, Date.now())} ago${parts === '' ? '' : `: ${parts}`}`,
  );
  return EXIT.ok;
}

function workView(now: number): ListView<OpenWork> {
  return {
    columns: [
      { heading: 'KIND', text: ({ kind }) => kind },
      { heading: 'ID', text: ({ id }) => id },
      { heading: 'INSTANCE', text: ({ instance }) => instance },
      { heading: 'AGE', text: ({ since }) => age(since, now) },
    ],
    name: ({ kind, id }) => `${kind}/${id}`,
    empty: 'no open work',
  };
}
