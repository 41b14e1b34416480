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
import type { Context, Tunnel } from './shell.ts';

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
  const way = await wayTo(context);
  const client = adminClient(way.server);
  try {
    return await use(client);
  } catch (error) {
    if (!(error instanceof AdminError)) throw error;
    throw (await tooOld(error, client, way)) ?? (await refusal(error, { context, kind, way }));
  } finally {
    client.close();
    way.close();
  }
}

/** The deadline of a read. */
export function soon(): Date {
  return new Date(Date.now() + READ_DEADLINE);
}

/** An address as it is, or a tunnel into the cluster. */
async function wayTo(context: Context): Promise<Tunnel> {
  const place = placeOf(context);
  if (place.kind === 'cluster') return context.openTunnel(place.cluster);
  return { server: place.server, trouble: () => undefined, close: () => undefined };
}

/** A call that did not come to a good end. */
interface Call {
  readonly context: Context;
  readonly kind: CallKind;
  readonly way: Tunnel;
}

/** What is said of a controller that does not know what it was asked; undefined where it is not that. */
async function tooOld(error: AdminError, client: AdminClient, way: Tunnel): Promise<CliError | undefined> {
  const { isUnknownMethod } = await import('./refused.ts');
  if (!isUnknownMethod(error)) return undefined;
  const info = await client.call('getInfo', {}, soon()).catch(() => undefined);
  return (
    info &&
    new CliError(
      EXIT.failed,
      `the controller at ${way.server} is of release ${info.version}, which does not know this command; nothing was changed`,
      ['upgrade the controller, or use the command line of its release'],
    )
  );
}

async function refusal(error: AdminError, call: Call): Promise<CliError> {
  const { status } = await import('@grpc/grpc-js');
  const { code, message, detail } = error;
  if (detail === undefined)
    return brokenOff(error, { ...call, isTimeout: code === status.DEADLINE_EXCEEDED });
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
function brokenOff(error: AdminError, call: Call & { readonly isTimeout: boolean }): CliError {
  const { context, kind, way, isTimeout } = call;
  const server = placeText(placeOf(context));
  const trouble = way.trouble();
  const neverSent = /^(No connection established|Name resolution failed)/.test(error.message);
  if (neverSent && trouble !== undefined) {
    return new CliError(EXIT.failed, `no controller answers in ${server}`, [trouble]);
  }
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
    : new CliError(EXIT.failed, `the call to ${server} broke off: ${trouble ?? error.message}`, hints);
}
