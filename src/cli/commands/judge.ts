/** `verify` and `replay`: what the checks say now, and what other checks would have said; neither changes anything. */
import { VERDICT_STATE, wordOf } from '../../admin/enums.ts';
import {
  ReplayResponseSchema,
  VerifyResponseSchema,
} from '../../gen/switchyard/admin/v1/rollout_calls_pb.js';
import { soon, withClient } from '../connection.ts';
import { readDocuments } from '../documents.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printList } from '../output.ts';
import { rolloutIdOf } from '../rollout-id.ts';
import { type Context, print } from '../shell.ts';
import { replayLines, replayView, verifyText, verifyView } from '../views/verdicts.ts';

export interface VerifyFlags {
  /** Milliseconds. */
  readonly timeout: number;
}

/** Exits with 0 where the gate would pass, 1 where it would fail or could not be measured, 2 where it is undecided. */
export async function verify(
  context: Context,
  service: string,
  version: string,
  flags: VerifyFlags,
): Promise<ExitCode> {
  const message = await withClient(context, 'read', (client) =>
    client.call('verify', { service, version }, new Date(Date.now() + flags.timeout)),
  );
  await printList(context, verifyView(context.paint), {
    rows: message.checks,
    schema: VerifyResponseSchema,
    message,
  });
  if (isText(context)) print(context, verifyText(context.paint, message));
  const word = wordOf(VERDICT_STATE, message.verdict?.state ?? 0);
  if (word === 'Passed') return EXIT.ok;
  return word === 'Failed' || word === 'Error' ? EXIT.failed : EXIT.usage;
}

export interface ReplayFlags {
  readonly filename?: string;
}

/** `subject`: the id of a rollout, or a service whose last one is meant. */
export async function replay(context: Context, subject: string, flags: ReplayFlags): Promise<ExitCode> {
  const { filename } = flags;
  const [document] = filename === undefined ? [] : await readDocuments([filename], context.shell.stdin);
  const message = await withClient(context, 'read', async (client) => {
    const rollout = await rolloutIdOf(client, subject);
    return client.call('replay', { rollout, ...(document && { document }) }, soon());
  });
  await printList(context, replayView(context.paint), {
    rows: message.steps,
    schema: ReplayResponseSchema,
    message,
  });
  if (isText(context)) print(context, replayLines(message).join('\n'));
  return EXIT.ok;
}

function isText(context: Context): boolean {
  return !isForMachines(context) && context.options.output !== 'name';
}
