/**
 * The way to the controller, and what its refusals mean to the person at the keyboard. gRPC is loaded here and not
 * before, so that help and usage errors come at once.
 */
import type { AdminClient } from '../admin/client.ts';
import type { AdminError } from '../admin/errors.ts';
import type { OpenWork } from '../gen/switchyard/admin/v1/resources_pb.js';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import { placeOf, placeText } from './place.ts';
import { problemLine } from './problems.ts';
import type { Context } from './shell.ts';

/** How long a question that changes nothing may take, in milliseconds. */
const READ_DEADLINE = 15_000;

/** Whether a call that breaks off may have changed something. */
export type CallKind = 'read' | 'change';

/** Connects, runs `use`, closes. Refusals leave as CliError. */
export async function withClient<Result>(
  context: Context,
  kind: CallKind,
  use: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const [{ adminClient }, { AdminError }] = await Promise.all([
    import('../admin/client.ts'),
    import('../admin/errors.ts'),
  ]);
  const place = placeOf(context);
  if (place.kind === 'cluster') {
    throw new CliError(EXIT.usage, `${placeText(place)}: commands reach a controller by --server only`);
  }
  const client = adminClient(place.server);
  try {
    return await use(client);
  } catch (error) {
    throw error instanceof AdminError ? await refusal(error, context, kind) : error;
  } finally {
    client.close();
  }
}

/** The deadline of a read. */
export function soon(): Date {
  return new Date(Date.now() + READ_DEADLINE);
}

async function refusal(error: AdminError, context: Context, kind: CallKind): Promise<CliError> {
  const { status } = await import('@grpc/grpc-js');
  const { code, message, detail } = error;
  if (detail === undefined)
    return brokenOff({ error, context, kind, isTimeout: code === status.DEADLINE_EXCEEDED });
  const exitCode: ExitCode = code === status.INVALID_ARGUMENT ? EXIT.usage : EXIT.failed;
  const hints = [...detail.problems.map(problemLine), ...detail.openWork.map(workLine)];
  if (detail.generations !== undefined) {
    const { expected, actual } = detail.generations;
    hints.push(
      `expected generation ${expected}, found ${actual}: read the service again, or leave --expected-generation out`,
    );
  }
  return new CliError(exitCode, message, hints);
}

function workLine({ kind, id, instance }: OpenWork): string {
  return `open ${kind} ${id} on ${instance}`;
}

/** The connection failed, or the answer did not come; a change may be committed all the same. */
function brokenOff(call: {
  error: AdminError;
  context: Context;
  kind: CallKind;
  isTimeout: boolean;
}): CliError {
  const { error, context, kind, isTimeout } = call;
  const server = placeText(placeOf(context));
  const neverSent = /^(No connection established|Name resolution failed)/.test(error.message);
  if (neverSent) {
    return new CliError(EXIT.failed, `no controller answers at ${server}`, [
      'start one with `switchyard controller`, or name another with --server or SWITCHYARD_SERVER',
      error.message.replace(/ Resolution note: $/, ''),
    ]);
  }
  const hints =
    kind === 'change'
      ? ['the change may be committed: look with `switchyard get events` before you repeat it']
      : [];
  return isTimeout
    ? new CliError(EXIT.timeout, `${server} did not answer in time`, hints)
    : new CliError(EXIT.failed, `the call to ${server} broke off: ${error.message}`, hints);
}
