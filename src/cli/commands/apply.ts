/** `apply`: sends documents, or with --dry-run shows what they would change and which streams that would cut. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { CHANGE_KIND, wordOf } from '../../admin/enums.ts';
import {
  type ApplyResponse,
  ApplyResponseSchema,
  type FieldDifference,
  type ServiceChange,
} from '../../gen/switchyard/admin/v1/admin_service_pb.js';
import { withClient } from '../connection.ts';
import { readDocuments } from '../documents.ts';
import type { ExitCode } from '../exit.ts';
import { isForMachines, printMessage } from '../output.ts';
import { problemLine } from '../problems.ts';
import { actorOf, type Context, note, print } from '../shell.ts';
import { convergenceExit, convergenceText, stragglerLines } from '../views/convergence.ts';
import { ANSWER_TIME } from './change.ts';

export interface ApplyFlags {
  /** Paths, or `-` for standard input. */
  readonly filename: readonly string[];
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly wait: number;
  readonly expectedGeneration?: readonly { readonly service: string; readonly generation: bigint }[];
}

export async function apply(context: Context, flags: ApplyFlags): Promise<ExitCode> {
  const documents = await readDocuments(flags.filename, context.shell.stdin);
  const answer = await withClient(context, 'change', (client) =>
    client.call(
      'apply',
      {
        documents,
        actor: actorOf(context),
        reason: flags.reason ?? '',
        dryRun: flags.dryRun === true,
        waitTimeout: durationFromMs(flags.wait),
        expectedGenerations: Object.fromEntries(
          (flags.expectedGeneration ?? []).map(({ service, generation }) => [service, generation]),
        ),
      },
      new Date(Date.now() + flags.wait + ANSWER_TIME),
    ),
  );
  for (const warning of answer.warnings) note(context, problemLine(warning));
  if (isForMachines(context)) await printMessage(context, ApplyResponseSchema, answer);
  else showText(context, answer, flags.dryRun === true);
  return convergenceExit(answer.convergence, flags.wait);
}

function showText(context: Context, { changes, convergence }: ApplyResponse, isDryRun: boolean): void {
  if (context.options.output === 'name') {
    for (const { service } of changes) print(context, `service/${service}`);
    return;
  }
  changes.forEach((change, index) => {
    const word = wordOf(CHANGE_KIND, change.kind).toLowerCase();
    const isLast = index === changes.length - 1;
    print(
      context,
      isDryRun
        ? `service/${change.service} ${word} (dry run)`
        : `service/${change.service} ${word}${isLast ? convergenceText(convergence) : ''}`,
    );
    for (const line of detailLines(context, change, isDryRun)) print(context, line);
  });
  for (const line of stragglerLines(convergence)) note(context, line);
}

/** The diff of a dry run, and always what happens to what runs. */
function detailLines(
  { paint }: Context,
  { differences, effects }: ServiceChange,
  isDryRun: boolean,
): string[] {
  return [
    ...(isDryRun ? differences.flatMap((each) => diffLines(each).map((line) => `  ${paintDiff(line)}`)) : []),
    ...effects.map((effect) => `  ! ${effect.startsWith('cuts streams') ? paint.bad(effect) : effect}`),
  ];

  function paintDiff(line: string): string {
    return line.startsWith('-') ? paint.bad(line) : paint.good(line);
  }
}

function diffLines({ field, before, after }: FieldDifference): string[] {
  return [
    ...(before === '' ? [] : [`- ${field}: ${before}`]),
    ...(after === '' ? [] : [`+ ${field}: ${after}`]),
  ];
}
