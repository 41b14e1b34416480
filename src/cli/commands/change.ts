/** The verbs that change a service: send the request, say in one line what was done and how far it has come. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { RequestInit, UnaryMethod } from '../../admin/client.ts';
import { type ChangeResult, ChangeResultSchema } from '../../gen/switchyard/admin/v1/changes_pb.js';
import { confirm } from '../confirm.ts';
import { withClient } from '../connection.ts';
import type { ExitCode } from '../exit.ts';
import { isForMachines, printMessage } from '../output.ts';
import { actorOf, type Context, note, print } from '../shell.ts';
import { convergenceExit, convergenceText, stragglerLines } from '../views/convergence.ts';

/** Flags of every change. */
export interface ChangeFlags {
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  /** Milliseconds. */
  readonly wait: number;
  readonly expectedGeneration?: bigint;
}

/** Methods that take a Change and answer a ChangeResult. */
export type ChangeMethod = {
  [M in UnaryMethod]: RequestInit<M> extends { change?: unknown } ? M : never;
}[UnaryMethod];

export interface ChangeCommand<M extends ChangeMethod> {
  readonly method: M;
  readonly service: string;
  readonly flags: ChangeFlags;
  /** The fields beside `change`. */
  readonly fields: Omit<RequestInit<M>, 'change' | '$typeName' | '$unknown'>;
  /** What is lost for good; absent: nothing, so nobody is asked. */
  readonly question?: string;
}

/** How much longer than the wait a call may take, in milliseconds. */
export const ANSWER_TIME = 15_000;

export async function runChange<M extends ChangeMethod>(
  context: Context,
  command: ChangeCommand<M>,
): Promise<ExitCode> {
  const { method, service, flags, fields, question } = command;
  if (question !== undefined && flags.dryRun !== true)
    await confirm(context, { question, yes: flags.yes === true });
  const request = { ...fields, change: changeOf(context, service, flags) } as RequestInit<M>;
  const answer = await withClient(context, 'change', (client) =>
    client.call(method, request, new Date(Date.now() + flags.wait + ANSWER_TIME)),
  );
  const { result } = answer as { result?: ChangeResult };
  if (result === undefined) throw new Error(`the controller answered ${method} without a result`);
  await show(context, result, flags);
  return convergenceExit(result.convergence, flags.wait);
}

function changeOf(context: Context, service: string, flags: ChangeFlags) {
  return {
    service,
    actor: actorOf(context),
    reason: flags.reason ?? '',
    dryRun: flags.dryRun === true,
    waitTimeout: durationFromMs(flags.wait),
    ...(flags.expectedGeneration !== undefined && { expectedGeneration: flags.expectedGeneration }),
  };
}

async function show(context: Context, result: ChangeResult, flags: ChangeFlags): Promise<void> {
  if (isForMachines(context)) return printMessage(context, ChangeResultSchema, result);
  if (context.options.output === 'name') return print(context, `service/${result.service?.name ?? ''}`);
  const prefix = flags.dryRun === true ? '(dry run) ' : '';
  print(context, `${prefix}${result.message}${convergenceText(result.convergence)}`);
  for (const line of stragglerLines(result.convergence)) note(context, line);
}
