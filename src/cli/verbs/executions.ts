/** Declares the verbs about executions, which ask a manager. Their code is loaded when one is run. */
import type { Command } from 'commander';
import { whole } from '../arguments.ts';
import type { ApproveFlags, ExecutionListFlags, StartFlags, SteerFlags } from '../commands/executions.ts';
import type { ManagerFlags } from '../manager.ts';
import type { AddVerbs, Session } from './session.ts';

const load = () => import('../commands/executions.ts');

function managerOptions(command: Command): Command {
  return command
    .option('--manager <url>', 'a manager, or the gateway in front of them (env: SWITCHYARD_MANAGER)')
    .option('--tenant <tenant>', 'only of this tenant');
}

/** `get executions` and `get execution`. */
export function addExecutionGets(get: Command, session: Session): void {
  managerOptions(get.command('executions'))
    .description('executions, the newest first')
    .option('--on <version>', 'only of this version')
    .option('--state <state>', 'only in this state: Running, Succeeded, Failed or Cancelled')
    .option('--before <execution>', 'those that are older than this one')
    .option('--limit <number>', 'at most this many', whole(1, 500), 20)
    .action((flags: ExecutionListFlags) =>
      session.run(async (context) => (await load()).getExecutions(context, flags)),
    );
  managerOptions(get.command('execution <execution>'))
    .description('one execution with its history: the version, manager and delegate of every step')
    .action((id: string, flags: ManagerFlags) =>
      session.run(async (context) => (await load()).getExecution(context, id, flags)),
    );
}

export const addExecutionVerbs: AddVerbs = (program, session) => {
  program.commandsGroup('Run pipelines:');
  const execution = program.command('execution').description('start, cancel, approve or retry executions');
  managerOptions(execution.command('start [pipeline]'))
    .description('begin an execution of a pipeline that the manager knows, or of one in a file')
    .option('-f, --filename <file>', 'YAML file with the pipeline, or - for standard input')
    .option('--input <json>', 'values of its inputs, as JSON')
    .option('--priority <number>', 'among those of the tenant, higher goes first', whole(0, 9))
    .option('--key <key>', 'two starts of a tenant with the same key are one execution')
    .action((name: string | undefined, flags: StartFlags) =>
      session.run(async (context) => (await load()).startExecution(context, name, flags)),
    );
  const steered = (nameAndArguments: string): Command =>
    managerOptions(execution.command(nameAndArguments)).option('--reason <text>', 'why, for the history');
  steered('cancel <execution>')
    .description('end an execution that runs, with all its tasks')
    .action((id: string, flags: SteerFlags) =>
      session.run(async (context) => (await load()).cancelExecution(context, id, flags)),
    );
  steered('approve <execution> <step>')
    .description('decide an approval that an execution waits for')
    .option('--reject', 'decide against it')
    .action((id: string, step: string, flags: ApproveFlags) =>
      session.run(async (context) => (await load()).approveExecution(context, { id, step }, flags)),
    );
  steered('retry <execution>')
    .description('let an execution that failed go on at the step that failed')
    .action((id: string, flags: SteerFlags) =>
      session.run(async (context) => (await load()).retryExecution(context, id, flags)),
    );
};
