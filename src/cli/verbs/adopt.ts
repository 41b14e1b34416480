/** Declares the verbs by which Switchyard comes to what runs on Kubernetes, and goes again. */
import type { Command } from 'commander';
import { duration, repeated } from '../arguments.ts';
import type { AdoptFlags, LocalCommands, UninstallFlags } from '../local-commands.ts';
import { defaulted, type Session, yesOption } from './session.ts';

export function addAdopt(program: Command, session: Session, local: LocalCommands): void {
  yesOption(program.command('adopt'))
    .description('take a Deployment and its Service on Kubernetes as the first version of a service')
    .argument('<target>', 'deployment/NAME, service/NAME or ingress/NAME')
    .argument('[version]', 'what runs there now, for example v1')
    .option('--port <port>', 'where requests come to, of a Service with several: its number or name')
    .option('--waive <finding>', 'go on although this may lose requests; may be repeated', repeated)
    .option('--complete', 'end the old Pods, when the Service leads to the version')
    .option('--undo', 'go back to the old Pods; the service goes')
    .option('--dry-run', 'say what would be done, change nothing; with -o yaml print the VersionedService')
    .addOption(
      defaulted('--settle <duration>', 'how long nodes may take to follow a Service that was moved', {
        parse: duration,
        shown: '10s',
      }),
    )
    .addOption(
      defaulted('--timeout <duration>', 'how long each step may take', { parse: duration, shown: '10m' }),
    )
    .action((target: string, version: string | undefined, flags: AdoptFlags) =>
      session.run((context) => local.adopt(context, { target, version }, flags)),
    );
  yesOption(program.command('uninstall'))
    .description('take Switchyard out of a namespace of Kubernetes; the primaries go on serving')
    .option('--waive-open-work', 'although versions drain, whose open work ends with them')
    .option('--with-gateway', 'the gateway too: move its clients first')
    .option('--dry-run', 'say what stays and what goes, change nothing')
    .addOption(
      defaulted('--timeout <duration>', 'how long each step may take', { parse: duration, shown: '2m' }),
    )
    .action((flags: UninstallFlags) => session.run((context) => local.uninstall(context, flags)));
}
