/** `get executions`, `get execution` and `execution …`: looks at and steers executions at a manager. */
import { randomUUID } from 'node:crypto';
import { readDocuments } from '../documents.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { askManager, type ManagerFlags } from '../manager.ts';
import { isForMachines, listLines, printData } from '../output.ts';
import { actorOf, type Context, print } from '../shell.ts';
import {
  type ExecutionAnswer,
  type ExecutionDetails,
  executionsView,
  historyView,
  openTasksView,
} from '../views/executions.ts';

export interface ExecutionListFlags extends ManagerFlags {
  readonly on?: string;
  readonly state?: string;
  readonly before?: string;
  readonly limit: number;
}

export async function getExecutions(context: Context, flags: ExecutionListFlags): Promise<ExitCode> {
  const { on: version, state, before, limit } = flags;
  const answer = await askManager<{ readonly executions: readonly ExecutionAnswer[] }>(context, flags, {
    method: 'GET',
    path: '/executions',
    query: { version, state, before, limit },
  });
  const { executions } = answer;
  const view = executionsView(context.paint, Date.now());
  if (isForMachines(context)) await printData(context, answer);
  else if (context.options.output === 'name') {
    if (executions.length > 0) print(context, executions.map(view.name).join('\n'));
  } else if (executions.length === 0) context.shell.stderr.write(`${view.empty}\n`);
  else print(context, listLines(context, view, executions).join('\n'));
  return EXIT.ok;
}

/** One execution: how it stands, its open tasks, and every line of its history. */
export async function getExecution(context: Context, id: string, flags: ManagerFlags): Promise<ExitCode> {
  const path = `/executions/${encodeURIComponent(id)}`;
  const execution = await askManager<ExecutionDetails>(context, flags, { method: 'GET', path });
  if (isForMachines(context)) {
    await printData(context, execution);
    return EXIT.ok;
  }
  const view = executionsView(context.paint, Date.now());
  if (context.options.output === 'name') {
    print(context, view.name(execution));
    return EXIT.ok;
  }
  const { openTasks, history, result } = execution;
  const parts = [listLines(context, view, [execution])];
  if (result !== undefined) parts.push([`result: ${JSON.stringify(result)}`]);
  if (openTasks.length > 0) parts.push(listLines(context, openTasksView(), openTasks));
  parts.push(listLines(context, historyView(), history));
  print(context, parts.map((lines) => lines.join('\n')).join('\n\n'));
  return EXIT.ok;
}

export interface StartFlags extends ManagerFlags {
  readonly filename?: string;
  readonly input?: string;
  readonly priority?: number;
  readonly key?: string;
}

/** Begins an execution of a pipeline that the manager knows by name, or of one in a file. */
export async function startExecution(
  context: Context,
  name: string | undefined,
  flags: StartFlags,
): Promise<ExitCode> {
  const { filename, input, priority, tenant, key = randomUUID() } = flags;
  if ((name === undefined) === (filename === undefined)) {
    throw new CliError(EXIT.usage, 'name a pipeline that the manager knows, or give one with -f FILE');
  }
  if (tenant === undefined)
    throw new CliError(EXIT.usage, '--tenant is needed: executions belong to a tenant');
  const [document] = filename === undefined ? [] : await readDocuments([filename], context.shell.stdin);
  const execution = await askManager<ExecutionAnswer>(context, flags, {
    method: 'POST',
    path: '/executions',
    // With it a command that is repeated after a broken connection begins nothing twice.
    headers: { 'idempotency-key': key },
    body: {
      ...(document === undefined ? { name } : { pipeline: document.text }),
      ...(input !== undefined && { input: inputOf(input) }),
      ...(priority !== undefined && { priority }),
    },
  });
  if (isForMachines(context)) await printData(context, execution);
  else if (context.options.output === 'name') print(context, `execution/${execution.id}`);
  else print(context, `execution ${execution.id} of ${execution.name} runs on ${execution.version}`);
  return EXIT.ok;
}

export interface SteerFlags extends ManagerFlags {
  readonly reason?: string;
}

export function cancelExecution(context: Context, id: string, flags: SteerFlags): Promise<ExitCode> {
  return steer(context, flags, { id, verb: 'cancel', fields: { reason: flags.reason ?? '' } });
}

export function retryExecution(context: Context, id: string, flags: SteerFlags): Promise<ExitCode> {
  return steer(context, flags, { id, verb: 'retry', fields: { reason: flags.reason ?? '' } });
}

export interface ApproveFlags extends SteerFlags {
  readonly reject?: boolean;
}

export function approveExecution(
  context: Context,
  { id, step }: { readonly id: string; readonly step: string },
  flags: ApproveFlags,
): Promise<ExitCode> {
  const decision = flags.reject === true ? 'Reject' : 'Approve';
  return steer(context, flags, {
    id,
    verb: 'approve',
    fields: { step, decision, comment: flags.reason ?? '' },
  });
}

/** The order is taken by a manager of the execution's version, soon after this answers. */
async function steer(
  context: Context,
  flags: ManagerFlags,
  order: { readonly id: string; readonly verb: string; readonly fields: Readonly<Record<string, string>> },
): Promise<ExitCode> {
  const { id, verb, fields } = order;
  const answer = await askManager<{ readonly id: string; readonly command: string }>(context, flags, {
    method: 'POST',
    path: `/executions/${encodeURIComponent(id)}/${verb}`,
    body: { ...fields, by: actorOf(context) },
  });
  if (isForMachines(context)) await printData(context, answer);
  else if (context.options.output === 'name') print(context, `execution/${id}`);
  else
    print(context, `execution ${id}: ${fields['decision'] ?? answer.command} was passed on to its version`);
  return EXIT.ok;
}

function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CliError(EXIT.usage, `--input must be JSON: ${(error as Error).message}`);
  }
}
