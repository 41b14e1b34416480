/** Declares the verbs of a delegate's box, `watcher`, and of those who release delegates, `artifact`. */
import { Option } from 'commander';
import { duration } from '../arguments.ts';
import type { PublishFlags, SignFlags } from '../commands/artifact.ts';
import type { WatcherChoice } from '../commands/watcher.ts';
import type { LocalCommands, WatcherFlags } from '../local-commands.ts';
import { LOG_LEVELS } from './local.ts';
import { type AddVerbs, defaulted } from './session.ts';

const CONFIG = '/etc/switchyard/watcher.yaml';

/** The verbs, given what main does for them. */
export function boxVerbs(local: LocalCommands): AddVerbs {
  return (program, session) => {
    program.commandsGroup("On a delegate's box:");
    const config = (): Option => new Option('--config <file>', "the watcher's file").default(CONFIG);
    const watcher = program
      .command('watcher')
      .description('keep the delegates of all wanted versions running');
    watcher
      .command('run')
      .description('run the watcher; it stops at a signal, and delegates go on')
      .addOption(config())
      .addOption(
        defaulted(
          '--prove-within <duration>',
          'how long a new release of the watcher may take to prove itself',
          {
            parse: duration,
            shown: '2m',
          },
        ),
      )
      .addOption(new Option('--log-level <level>', 'how much is logged').choices(LOG_LEVELS).default('info'))
      .addOption(new Option('--agent', 'be the process that the launcher starts').hideHelp())
      .action((flags: WatcherFlags) => session.run((context) => local.watcher(context, flags)));
    watcher
      .command('status')
      .description('show what runs on this box, and why')
      .addOption(config())
      .action((choice: WatcherChoice) =>
        session.run(async (context) =>
          (await import('../commands/watcher.ts')).watcherStatus(context, choice),
        ),
      );
    watcher
      .command('retry [version]')
      .description('try again what was given up or could not be fetched')
      .addOption(config())
      .action((version: string | undefined, choice: WatcherChoice) =>
        session.run(async (context) =>
          (await import('../commands/watcher.ts')).watcherRetry(context, {
            ...choice,
            ...(version !== undefined && { version }),
          }),
        ),
      );
    watcher
      .command('upgrade <manifest>')
      .description('try a signed release of the watcher itself; it must prove itself')
      .addOption(config())
      .option('--again', 'although it was tried before and did not prove itself')
      .action((manifest: string, choice: WatcherChoice & { readonly again?: boolean }) =>
        session.run(async (context) =>
          (await import('../commands/watcher.ts')).watcherUpgrade(context, { ...choice, manifest }),
        ),
      );
    watcher
      .command('check-policy <file>')
      .description("check a policy, or a watcher's file")
      .action((file: string) =>
        session.run(async (context) =>
          (await import('../commands/watcher.ts')).checkPolicy(context, { file }),
        ),
      );
    const artifact = program.command('artifact').description('make what watchers fetch');
    artifact
      .command('keygen <file>')
      .description('make a key pair: the file signs, the file with .pub is for the boxes')
      .action((file: string) =>
        session.run(async (context) => (await import('../commands/artifact.ts')).keygen(context, file)),
      );
    artifact
      .command('sign <file> <service> <version> [command...]')
      .description('sign a release of a delegate, with the command that starts it after --')
      .requiredOption('--key <file>', 'the private key')
      .option('--url <address>', 'where it will be fetched from (default: where it lies)')
      .action((file: string, service: string, version: string, command: string[], flags: SignFlags) =>
        session.run(async (context) =>
          (await import('../commands/artifact.ts')).sign(context, { file, service, version, command, flags }),
        ),
      );
    artifact
      .command('publish <file>')
      .description('copy a signed release and its manifest to a folder that is served')
      .requiredOption('--to <folder>', 'the folder')
      .option('--url <address>', 'the address of that folder (default: its files)')
      .action((file: string, flags: PublishFlags) =>
        session.run(async (context) =>
          (await import('../commands/artifact.ts')).publish(context, { file, flags }),
        ),
      );
  };
}
