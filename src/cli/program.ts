/**
 * The command line: declares all verbs, parses, runs one, and gives the exit code. Only declarations are loaded here;
 * gRPC, protos and adapters come with the verb that needs them, so `--help` is quick.
 */
import { Command, CommanderError, Option } from 'commander';
import { CliError, EXIT, type ExitCode } from './exit.ts';
import type { LocalCommands } from './local-commands.ts';
import { type Context, type GlobalOptions, OUTPUTS, paintFor, type Shell } from './shell.ts';
import { boxVerbs } from './verbs/boxes.ts';
import { addChangeVerbs } from './verbs/change.ts';
import { addDelegateVerbs } from './verbs/delegates.ts';
import { addExecutionVerbs } from './verbs/executions.ts';
import { localVerbs } from './verbs/local.ts';
import { addLookVerbs } from './verbs/look.ts';
import { addRolloutVerbs } from './verbs/rollouts.ts';

export interface CommandLine {
  /** Without the program and the script. */
  readonly arguments: readonly string[];
  readonly shell: Shell;
  readonly local: LocalCommands;
  /** Of Switchyard. */
  readonly version: string;
}

const EXIT_CODES = `
Exit codes: 0 done; 1 refused or failed; 2 wrong usage or bad input; 3 timeout;
4 committed, not yet everywhere. More: docs/cli.md`;

/** Runs one command. Never throws for what a user or a controller did. */
export async function runCommandLine(line: CommandLine): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const program = declare(line, async (command) => {
    exitCode = await command(contextOf(program, line));
  });
  try {
    await program.parseAsync([...line.arguments], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof CliError) return complain(line.shell, error);
    throw error;
  }
}

/** The declared verbs; `run` is given the one that was asked for. */
export function declare(
  line: CommandLine,
  run: (command: (context: Context) => Promise<ExitCode>) => Promise<void>,
): Command {
  const program = new Command('switchyard')
    .description('Route requests to the service version that they name, and everybody else to the primary.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => line.shell.stdout.write(text),
      writeErr: (text) => line.shell.stderr.write(text),
    })
    .configureHelp({ showGlobalOptions: true, subcommandTerm: nameOf })
    .showSuggestionAfterError()
    .version(line.version, '-V, --version', 'print the version of this command')
    .option('--server <address>', 'the controller: unix:PATH or host:port (env: SWITCHYARD_SERVER)')
    .option('--context <name>', 'go through this context of the kubeconfig (env: SWITCHYARD_CONTEXT)')
    .option('--kubeconfig <file>', 'go through this kubeconfig (env: SWITCHYARD_KUBECONFIG)')
    .option('-n, --namespace <name>', 'a namespace on Kubernetes (env: SWITCHYARD_NAMESPACE)')
    .addOption(new Option('-o, --output <form>', 'how to print').choices(OUTPUTS).default('table'))
    .option('--actor <name>', 'who asks, for the audit trail (default: user@host)')
    .option('--no-color', 'no colours (env: NO_COLOR)')
    .addHelpText('after', EXIT_CODES);
  const session = { run };
  const groups = [
    addLookVerbs,
    addRolloutVerbs,
    addChangeVerbs,
    addDelegateVerbs,
    addExecutionVerbs,
    boxVerbs(line.local),
    localVerbs(line.local, line.version),
  ];
  for (const add of groups) add(program, session);
  return program;
}

/** In a list of commands the name is enough; what it takes is in its own help. */
function nameOf(command: Command): string {
  return [command.name(), ...command.aliases()].join(', ');
}

function contextOf(program: Command, { shell, local }: CommandLine): Context {
  const options = program.opts<GlobalOptions>();
  return {
    shell,
    options,
    paint: paintFor(shell, options.color),
    openTunnel: (cluster) => local.openTunnel(cluster),
  };
}

function complain(shell: Shell, error: CliError): ExitCode {
  shell.stderr.write(`error: ${error.message}\n${error.hints.map((hint) => `  ${hint}\n`).join('')}`);
  return error.exitCode;
}
