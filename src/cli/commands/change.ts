/** The verbs that change a service: send the request, say in one line what was done and how far it has come. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { AdminClient, RequestInit, UnaryMethod } from '../../admin/client.ts';
import { type ChangeResult, ChangeResultSchema } from '../../gen/switchyard/admin/v1/changes_pb.js';
import { visible } from '../../model/text.ts';
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
  /** Whether somebody is asked first; absent: nobody is. */
  readonly ask?: Ask;
}

/**
 * `Always`: something is lost for good; without a terminal it needs --yes. `WhereItTouches`: only a person at a
 * terminal is asked, and only where somebody is touched, so that a rollback in a script is never held up. Both show
 * first whom it would touch.
 */
export interface Ask {
  readonly when: 'Always' | 'WhereItTouches';
  readonly question: string;
}

/** How much longer than the wait a call may take, in milliseconds. */
export const ANSWER_TIME = 15_000;

export async function runChange<M extends ChangeMethod>(
  context: Context,
  command: ChangeCommand<M>,
): Promise<ExitCode> {
  const { flags } = command;
  const result = await withClient(context, 'change', async (client) => {
    const isAsked = await askFirst(context, client, command);
    return { ...(await send(context, client, command)), ...(isAsked && { impact: [] }) };
  });
  await show(context, result, flags);
  return convergenceExit(result.convergence, flags.wait);
}

/** Shows whom the change would touch and asks. True: it was shown. Throws CliError where the answer is no. */
async function askFirst<M extends ChangeMethod>(
  context: Context,
  client: AdminClient,
  command: ChangeCommand<M>,
): Promise<boolean> {
  const { ask, flags } = command;
  if (ask === undefined || flags.dryRun === true || flags.yes === true) return false;
  const canAsk = context.shell.stdin.isTTY && context.shell.stderr.isTTY;
  if (!canAsk) {
    if (ask.when === 'Always') await confirm(context, { question: ask.question, yes: false });
    return false;
  }
  const { impact } = await send(context, client, { ...command, flags: { ...flags, dryRun: true } });
  for (const line of impactLines(impact)) note(context, line);
  if (ask.when === 'Always' || impact.length > 0)
    await confirm(context, { question: ask.question, yes: false });
  return true;
}

async function send<M extends ChangeMethod>(
  context: Context,
  client: AdminClient,
  { method, service, flags, fields }: ChangeCommand<M>,
): Promise<ChangeResult> {
  const request = { ...fields, change: changeOf(context, service, flags) } as RequestInit<M>;
  const answer = await client.call(method, request, new Date(Date.now() + flags.wait + ANSWER_TIME));
  const { result } = answer as { result?: ChangeResult };
  if (result === undefined) throw new Error(`the controller answered ${method} without a result`);
  return result;
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
  for (const line of impactLines(result.impact)) {
    if (flags.dryRun === true) print(context, line);
    else note(context, line);
  }
  for (const line of stragglerLines(result.convergence)) note(context, line);
}

function impactLines(impact: readonly string[]): string[] {
  return impact.map((sentence) => `  - ${visible(sentence)}`);
}
