/** Declares `install`: the manifests for Kubernetes. */
import { type Command, Option } from 'commander';
import { whole } from '../arguments.ts';
import type { InstallFlags } from '../commands/install.ts';
import type { Session } from './session.ts';

const MOST_REPLICAS = 9;

export function addInstall(program: Command, session: Session): void {
  program
    .command('install')
    .description(
      'print the manifests that install Switchyard in --namespace (default: switchyard), for kubectl apply -f -',
    )
    .option('--image <image>', "the controller's image (default: the one of this release)")
    .addOption(
      new Option('--overlay <overlay>', 'three replicas on different machines, or a small one')
        .choices(['production', 'dev'])
        .default('production'),
    )
    .addOption(
      new Option('--replicas <number>', 'of the controller (default: as the overlay has it)').argParser(
        whole(0, MOST_REPLICAS),
      ),
    )
    .option('--with-gateway', 'an Envoy in front of the services too')
    .option('--with-monitoring', 'objects of the Prometheus Operator and dashboards for Grafana too')
    .option('--admin-in-cluster', 'open the admin API to chosen Pods of the namespace: it has no login')
    .option('--create-namespace', 'the namespace too')
    .addOption(new Option('--only-crds', 'only the custom resources').conflicts('withoutCrds'))
    .option('--without-crds', 'all but the custom resources, which belong to the whole cluster')
    .action((flags: InstallFlags) =>
      session.run(async (context) => (await import('../commands/install.ts')).install(context, flags)),
    );
}
