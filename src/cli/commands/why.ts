/** `explain SERVICE`: why its rollout stands where it stands, what it waits for, and what was decided last. */
import { ROLLOUT_STATE, wordOf } from '../../admin/enums.ts';
import {
  type GetRolloutResponse,
  GetRolloutResponseSchema,
} from '../../gen/switchyard/admin/v1/rollout_calls_pb.js';
import type { RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { soon, withClient } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printMessage } from '../output.ts';
import { ifThere } from '../refused.ts';
import { type Context, print } from '../shell.ts';
import { whyLines } from '../views/why.ts';

export async function why(context: Context, service: string): Promise<ExitCode> {
  const message = await withClient(context, 'read', async (client) => {
    const rollout = await ifThere(client.call('getRollout', { service }, soon()));
    // Asked second, so that a service that is not there is told in its own words.
    if (rollout === undefined) await client.call('getService', { name: service }, soon());
    return rollout;
  });
  if (message === undefined) {
    print(context, `${service} has had no rollout: nothing waits. Begin one with \`switchyard deploy\`.`);
  } else await show(context, message);
  return EXIT.ok;
}

async function show(context: Context, message: GetRolloutResponse): Promise<void> {
  if (isForMachines(context)) return printMessage(context, GetRolloutResponseSchema, message);
  const { view } = message;
  if (view === undefined) return;
  const { isTTY, columns } = context.shell.stdout;
  const frame = {
    paint: context.paint,
    now: Date.now(),
    wide: context.options.output === 'wide',
    ...(isTTY && { width: columns }),
  };
  print(context, [...whyLines(view, frame), ...advice(view)].join('\n'));
}

/** The commands that would move it on. */
function advice({ rollout }: RolloutView): string[] {
  const service = rollout?.service ?? '';
  const commands = COMMANDS[wordOf(ROLLOUT_STATE, rollout?.state ?? 0)]?.(rollout?.stateReason ?? '') ?? [];
  return commands.length === 0
    ? []
    : [
        '',
        'what you can do:',
        ...commands.map((words) => `  switchyard ${words.replace('SERVICE', service)}`),
      ];
}

const ENDED = () => ['retry SERVICE', 'deploy SERVICE VERSION'];
const COMMANDS: Readonly<Record<string, (reason: string) => readonly string[]>> = {
  Paused: (reason) => [reason === 'Approval' ? 'promote SERVICE' : 'resume SERVICE', 'abort SERVICE'],
  Waiting: (reason) => [
    ...(reason === 'Frozen' ? ['unfreeze SERVICE'] : []),
    ...(reason === 'RetentionMax' ? ['drain SERVICE VERSION', 'retire SERVICE VERSION'] : []),
    'abort SERVICE',
  ],
  Inconclusive: () => ['resume SERVICE', 'promote SERVICE --reason WHY', 'abort SERVICE'],
  Aborted: ENDED,
  RolledBack: ENDED,
  Failed: ENDED,
};
