/**
 * The HTTP API for customers: begin executions of pipelines, look at them, and steer them. A new execution is of the version
 * of the manager that took the request; an execution of any version can be read and steered at every manager.
 */

import type { Json } from '../../../src/model/json.ts';
import { InvalidNameError, type TenantName, tenantName, versionName } from '../../../src/model/names.ts';
import { EXECUTION_STATES, type ExecutionId, type ExecutionState } from '../../../src/model/workflow.ts';
import { type CommandOutcome, PayloadTooLargeError } from '../../../src/ports/workflow-store.ts';
import { ApiError, type ApiRequest, type ApiResponse, invalid } from './api.ts';
import type { Engine } from './engine.ts';
import { executionView, historyView } from './execution-views.ts';
import { readStart } from './start-request.ts';

const DEFAULT_LIMIT = 50;
const MOST_EXECUTIONS = 500;
const LONGEST_TEXT = 1_000;

/** The answer to a request below /executions; undefined: there is no such thing here. Throws ApiError. */
export async function answerExecutions(
  engine: Engine,
  request: ApiRequest,
): Promise<ApiResponse | undefined> {
  const [first, id, verb, task, ...rest] = request.path;
  if (rest.length > 0 || first !== 'executions') return undefined;
  if (id !== undefined && verb === 'tasks' && task !== undefined) {
    return request.method === 'GET' ? taskReport(engine, request, { id, task }) : undefined;
  }
  if (task !== undefined) return undefined;
  if (id === undefined) {
    if (request.method === 'POST') return start(engine, request);
    return request.method === 'GET' ? list(engine, request) : undefined;
  }
  if (verb === undefined) return request.method === 'GET' ? show(engine, request, id) : undefined;
  if (request.method !== 'POST') return undefined;
  const command = COMMANDS[verb];
  return command === undefined ? undefined : steer(engine, request, { id, command });
}

async function start(engine: Engine, request: ApiRequest): Promise<ApiResponse> {
  const tenant = tenantOf(request);
  if (tenant === undefined) throw invalid('x-tenant-id: the header must name the tenant');
  const wanted = readStart(request, engine.library);
  const idempotencyKey = request.headers['idempotency-key'];
  if (idempotencyKey !== undefined && !/^[\x21-\x7e]{1,200}$/.test(idempotencyKey)) {
    throw invalid('idempotency-key: must be 1 to 200 visible characters without spaces');
  }
  const outcome = await engine.host
    .start({ tenant, ...wanted, ...(idempotencyKey !== undefined && { idempotencyKey }) })
    .catch((error: unknown) => {
      if (error instanceof PayloadTooLargeError) throw new ApiError(413, 'TOO_LARGE', error.message);
      throw error;
    });
  switch (outcome.kind) {
    case 'Started':
      engine.metrics.started(engine.version);
      return { status: 201, body: executionView(outcome.execution) };
    case 'Existing':
      if (outcome.execution.name !== wanted.name) {
        throw new ApiError(
          409,
          'KEY_USED',
          `idempotency-key: it was used for ${outcome.execution.id}, an execution of ${outcome.execution.name}`,
        );
      }
      return { status: 200, body: executionView(outcome.execution) };
    case 'Fenced':
      throw new ApiError(
        503,
        'VERSION_FENCED',
        `version ${engine.version} takes no new executions; try again without the pin, or on another version`,
        { retryAfter: 1 },
      );
    default:
      return outcome satisfies never;
  }
}

async function list({ store }: Engine, request: ApiRequest): Promise<ApiResponse> {
  const { query } = request;
  const tenant = tenantOf(request);
  const [version, state, before] = ['version', 'state', 'before'].map((name) => query.get(name) ?? undefined);
  const executions = await store.executions({
    ...(tenant !== undefined && { tenant }),
    ...(version !== undefined && { version: named('version', () => versionName(version)) }),
    ...(state !== undefined && { state: stateOf(state) }),
    ...(before !== undefined && { before: before as ExecutionId }),
    limit: limitOf(query.get('limit')),
  });
  return { status: 200, body: { executions: executions.map(executionView) } };
}

async function show(engine: Engine, request: ApiRequest, id: string): Promise<ApiResponse> {
  const execution = await found(engine, request, id);
  const [history, tasks] = await Promise.all([
    engine.store.history(execution.id),
    engine.store.openTasks(execution.id),
  ]);
  const openTasks = tasks.map(({ task, delegate }) => {
    const { percent, note } = engine.reports.get(task.id) ?? {};
    return {
      id: task.id,
      key: task.key,
      kind: task.kind,
      version: task.version,
      attempt: task.attempt,
      tags: task.tags,
      ...(delegate !== undefined && { delegate }),
      ...(percent !== undefined && { percent }),
      ...(note !== undefined && note !== '' && { note }),
    };
  });
  return {
    status: 200,
    body: { ...executionView(execution), data: execution.data, openTasks, history: history.map(historyView) },
  };
}

/** What a task's delegate has told so far, where its stream is to this instance. */
async function taskReport(
  engine: Engine,
  request: ApiRequest,
  { id, task }: { readonly id: string; readonly task: string },
): Promise<ApiResponse> {
  const execution = await found(engine, request, id);
  const open = await engine.store.openTasks(execution.id);
  const report = open.some((each) => each.task.id === task) ? engine.reports.get(task) : undefined;
  if (report === undefined) {
    throw new ApiError(
      404,
      'NOT_FOUND',
      `${engine.identity.instance} has heard nothing of an open task ${JSON.stringify(task.slice(0, 100))} of ${id}`,
    );
  }
  return { status: 200, body: { id: task, ...report } };
}

type CommandKind = 'Cancel' | 'Approve' | 'Retry';
const COMMANDS: Readonly<Record<string, CommandKind>> = {
  cancel: 'Cancel',
  approve: 'Approve',
  retry: 'Retry',
};

async function steer(
  engine: Engine,
  request: ApiRequest,
  { id, command }: { id: string; command: CommandKind },
): Promise<ApiResponse> {
  const fields = request.json();
  const text = (name: string, otherwise: string) => textOf(fields, name) ?? otherwise;
  const by = text('by', 'somebody');
  const execution = await found(engine, request, id);
  const payload: Json =
    command === 'Approve'
      ? {
          step: textOf(fields, 'step') ?? missing('step', 'the path of the approval'),
          decision: decisionOf(text('decision', 'Approve')),
          by,
          comment: text('comment', ''),
        }
      : { by, reason: text('reason', '') };
  const outcome = await engine.host.command({ execution: execution.id, kind: command, payload, by });
  return commanded(outcome, { id, command, state: execution.state });
}

function commanded(
  outcome: CommandOutcome,
  about: { id: string; command: CommandKind; state: ExecutionState },
): ApiResponse {
  const { id, command, state } = about;
  switch (outcome) {
    case 'Appended':
      // It is taken by a manager of the execution's version, soon.
      return { status: 202, body: { id, command } };
    case 'NotFound':
      throw notFound(id);
    case 'Refused':
      throw new ApiError(
        409,
        'REFUSED',
        command === 'Retry'
          ? `only an execution that Failed can be retried, on a version that takes new work; this one is ${state}`
          : `only an execution that runs can be told to ${command}; this one is ${state}`,
      );
    default:
      return outcome satisfies never;
  }
}

/** Another tenant's execution is none. */
async function found({ store }: Engine, request: ApiRequest, id: string) {
  const tenant = tenantOf(request);
  const execution = await store.execution(id as ExecutionId);
  if (execution === undefined || (tenant !== undefined && execution.tenant !== tenant)) throw notFound(id);
  return execution;
}

function notFound(id: string): ApiError {
  return new ApiError(404, 'NOT_FOUND', `there is no execution ${JSON.stringify(id.slice(0, 100))}`);
}

/** Absent for operators, who speak to an instance directly and see all tenants. */
function tenantOf({ headers, isProxied }: ApiRequest): TenantName | undefined {
  const text = headers['x-tenant-id'];
  if (text === undefined && isProxied) throw invalid('x-tenant-id: the header must name the tenant');
  return text === undefined ? undefined : named('x-tenant-id', () => tenantName(text));
}

function named<Name>(field: string, parse: () => Name): Name {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidNameError) throw invalid(`${field}: ${error.message}`);
    throw error;
  }
}

function stateOf(text: string): ExecutionState {
  const state = EXECUTION_STATES.find((each) => each === text);
  if (state === undefined) throw invalid(`state: must be one of ${EXECUTION_STATES.join(', ')}, not ${text}`);
  return state;
}

function limitOf(text: string | null): number {
  const limit = Number(text ?? DEFAULT_LIMIT);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_EXECUTIONS) return limit;
  throw invalid(`limit: must be a whole number from 1 to ${MOST_EXECUTIONS}, not ${text}`);
}

function decisionOf(text: string): 'Approve' | 'Reject' {
  if (text === 'Approve' || text === 'Reject') return text;
  throw invalid(`decision: must be Approve or Reject, not ${JSON.stringify(text)}`);
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length <= LONGEST_TEXT) return value;
  throw invalid(`${name}: must be text of at most ${LONGEST_TEXT} characters`);
}

function missing(name: string, what: string): never {
  throw invalid(`${name}: is needed: ${what}`);
}
