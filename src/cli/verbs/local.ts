/** Declares the verbs that need no running controller, or are one. What they do comes from main, by the port below. */
import { Argument, Option } from 'commander';
import { address, duration, repeated } from '../arguments.ts';
import type { BootstrapFlags } from '../commands/bootstrap.ts';
import { completionScript, SHELLS, type ShellName } from '../completion.ts';
import { EXIT } from '../exit.ts';
import type { ControllerFlags, LocalCommands, RestoreFlags } from '../local-commands.ts';
import { defaultDataDir } from '../paths.ts';
import { print } from '../shell.ts';
import { addAdopt } from './adopt.ts';
import { addInstall } from './install.ts';
import { type AddVerbs, defaulted, yesOption } from './session.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

/** The verbs, given what main does for them. */
export function localVerbs(local: LocalCommands, ours: string): AddVerbs {
  return (program, session) => {
    program.commandsGroup('Run and keep:');
    program
      .command('controller')
      .description('run the controller')
      .option('--data-dir <folder>', `where the state is kept (default: ${defaultDataDir(process.env)})`)
      .addOption(
        new Option('--store <kind>', 'keep the state in a file or in memory')
          .choices(['file', 'memory'])
          .default('file'),
      )
      .addOption(
        defaulted('--xds-address <host:port>', 'where proxies connect', {
          parse: address,
          shown: '127.0.0.1:18000',
        }),
      )
      .addOption(
        defaulted('--http-address <host:port>', 'metrics and health', {
          parse: address,
          shown: '127.0.0.1:18002',
        }),
      )
      .addOption(
        new Option(
          '--watcher-address <host:port>',
          'let the watchers of delegates connect here, for example 127.0.0.1:18003 (default: nowhere)',
        ).argParser(address),
      )
      .option(
        '--kubernetes',
        'run as a replica on Kubernetes: state in custom resources, a Lease says who leads. It looks after --namespace (default: that of the Pod or kubeconfig)',
      )
      .addOption(
        defaulted('--replica-address <host:port>', 'where replicas reach each other on Kubernetes', {
          parse: address,
          shown: '127.0.0.1:18004',
        }),
      )
      .addOption(
        new Option(
          '--refusal-address <host:port>',
          'let gateways of the Gateway API send here what must reach no version, for example 0.0.0.0:18005 (default: nowhere)',
        ).argParser(address),
      )
      .option(
        '--admin-socket <path>',
        'Unix socket of the admin API (default: admin.sock in the data folder)',
      )
      .option(
        '--admin-address <host:port>',
        'serve the admin API on TCP too: whoever connects may do everything',
      )
      .option('--allow-commands', 'let specs name commands to run')
      .option('--webhook-secret-file <file>', 'sign what is posted to webhooks with this secret (mode 0600)')
      .option('--accept-empty', 'show an empty state to proxies that hold configuration')
      .addOption(
        defaulted('--proxy-grace <duration>', 'how long a proxy that went away keeps removals waiting', {
          parse: duration,
          shown: '10m',
        }),
      )
      .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS).default('info'))
      .action((flags: ControllerFlags) => session.run((context) => local.controller(context, flags)));
    program
      .command('bootstrap')
      .description('print the configuration that makes an Envoy connect to the controller')
      .option('--node-id <id>', 'the name of the proxy, unique (default: envoy@HOSTNAME)')
      .option('--cluster <name>', 'a group of proxies that do the same', 'gateways')
      .option('--delta', 'use delta xDS instead of state of the world')
      .addOption(
        defaulted('--xds-address <host:port>', 'the controller', {
          parse: address,
          shown: '127.0.0.1:18000',
        }),
      )
      .option('--listener <name>', 'open this listener only; may be repeated', repeated)
      .option('--service <name>', 'know this service only; may be repeated', repeated)
      .addOption(
        defaulted('--admin-address <host:port>', "Envoy's own admin interface", {
          parse: address,
          shown: '127.0.0.1:9901',
        }),
      )
      .addOption(
        new Option(
          '--stats-address <host:port>',
          'let /ready and /stats/prometheus be read here, for probes and Prometheus (default: nowhere)',
        ).argParser(address),
      )
      .option('--access-log', 'write a line for each request')
      .option('--ready-anyway', 'report ready after 15 s per resource type although no controller answers')
      .action((flags: BootstrapFlags) =>
        session.run(async (context) => (await import('../commands/bootstrap.ts')).bootstrap(context, flags)),
      );
    addInstall(program, session);
    addAdopt(program, session, local);
    program
      .command('lint <files...>')
      .description('check documents without a controller')
      .option('--endpoints', 'the files list endpoints')
      .action((files: string[], { endpoints = false }: { endpoints?: boolean }) =>
        session.run(async (context) =>
          (await import('../commands/lint.ts')).lint(context, { files, endpoints }),
        ),
      );
    program
      .command('backup <file>')
      .description("copy the controller's state to a new file on its machine")
      .action((file: string) =>
        session.run(async (context) =>
          (await import('../commands/controller-calls.ts')).backup(context, file),
        ),
      );
    yesOption(program.command('restore <file>'))
      .description('put a backup in the place of the state; the controller must be stopped')
      .option('--data-dir <folder>', `where the state is kept (default: ${defaultDataDir(process.env)})`)
      .action((file: string, flags: RestoreFlags) =>
        session.run((context) => local.restore(context, file, flags)),
      );
    program
      .command('completion')
      .description('print the completion script of a shell')
      .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
      .action((shell: ShellName) =>
        session.run(async (context) => {
          print(context, completionScript(program, shell));
          return EXIT.ok;
        }),
      );
    program
      .command('version')
      .description('print the version of this command and of the controller')
      .action(() =>
        session.run(async (context) =>
          (await import('../commands/controller-calls.ts')).version(context, ours),
        ),
      );
  };
}
