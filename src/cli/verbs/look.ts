/** Declares the verbs that show something. Their code is loaded when one is run. */
import type { Command } from 'commander';
import { count, duration, header, ip, whole } from '../arguments.ts';
import type { ExportFlags } from '../commands/controller-calls.ts';
import type { ExplainFlags } from '../commands/explain.ts';
import type { EventFlags } from '../commands/get.ts';
import type { StatusFlags } from '../commands/status.ts';
import { CliError, EXIT } from '../exit.ts';
import { addDelegateGets } from './delegates.ts';
import { addExecutionGets } from './executions.ts';
import { addRolloutGets } from './rollouts.ts';
import { type AddVerbs, defaulted, type Session } from './session.ts';

const get = () => import('../commands/get.ts');
const watch = () => import('../commands/watch.ts');
const calls = () => import('../commands/controller-calls.ts');

type WatchFlag = { readonly watch?: boolean };

export const addLookVerbs: AddVerbs = (program, session) => {
  program.commandsGroup('Look:');
  addGet(
    program.command('get').description('list services, versions, rollouts, proxies, events, …'),
    session,
  );
  program
    .command('describe <service>')
    .description('show a service with its versions and instances as a tree')
    .action((service: string) =>
      session.run(async (context) => (await import('../commands/describe.ts')).describe(context, service)),
    );
  program
    .command('status [service]')
    .description('wait until a service (or all) has settled; the exit code says how')
    .addOption(
      defaulted('--timeout <duration>', 'how long to wait (0: for ever)', { parse: duration, shown: '5m' }),
    )
    .option('--no-watch', 'say how it is now and do not wait')
    .addHelpText(
      'after',
      '\nExit code: 0 Healthy; 1 Degraded: something is wrong, or the rollout was aborted, rolled back or failed;\n2 Paused: the rollout is paused or undecided; 3 still Progressing when the time was over.',
    )
    .action((service: string | undefined, flags: StatusFlags) =>
      session.run(async (context) => (await import('../commands/status.ts')).status(context, service, flags)),
    );
  addExplain(program, session);
  program
    .command('export')
    .description('print what is routed in another form')
    .command('envoy')
    .description('print the current routes as a static Envoy configuration')
    .option('--admin-address <host:port>', "where that Envoy's own admin interface listens", '127.0.0.1:9901')
    .option('--access-log', 'let it write a line for each request')
    .action((flags: ExportFlags) =>
      session.run(async (context) => (await calls()).exportEnvoy(context, flags)),
    );
};

function addGet(command: Command, session: Session): void {
  const watched = (nameAndArguments: string): Command =>
    command.command(nameAndArguments).option('-w, --watch', 'stay and show changes');
  watched('services [names...]')
    .alias('service')
    .description('services and who is primary')
    .action((names: string[], { watch: stay }: WatchFlag, self: Command) => {
      if (stay && names.length > 1) self.error('error: --watch takes one service or none', { exitCode: 2 });
      return session.run(async (context) =>
        stay
          ? (await watch()).watchServices(context, names[0] ?? '')
          : (await get()).getServices(context, names),
      );
    });
  watched('versions [service]')
    .alias('version')
    .description('versions, their state, weight and ready instances')
    .action((service = '', { watch: stay }: WatchFlag = {}) =>
      session.run(async (context) =>
        stay ? (await watch()).watchVersions(context, service) : (await get()).getVersions(context, service),
      ),
    );
  watched('proxies')
    .description('proxies: who is in sync, and what they rejected')
    .action(({ watch: stay }: WatchFlag) =>
      session.run(async (context) =>
        stay ? (await watch()).watchProxies(context) : (await get()).getProxies(context),
      ),
    );
  watched('events [service]')
    .description('the audit trail: who did what, when and why')
    .option('--limit <number>', 'at most this many', whole(1, 1000), 20)
    .option('--after <sequence>', 'those after this sequence number', count)
    .action((service = '', flags: EventFlags & WatchFlag = { limit: 20 }) =>
      session.run(async (context) =>
        flags.watch
          ? (await watch()).watchEvents(context, service, flags)
          : (await get()).getEvents(context, service, flags),
      ),
    );
  watched('holds [service]')
    .description('tenants that are held on a version')
    .action((service = '', { watch: stay }: WatchFlag = {}) =>
      session.run(async (context) =>
        stay ? (await watch()).watchHolds(context, service) : (await get()).getHolds(context, service),
      ),
    );
  addRolloutGets(command, session);
  addDelegateGets(command, session);
  addExecutionGets(command, session);
  command
    .command('work <service> <version>')
    .description('what is open on a version')
    .action((service: string, version: string) =>
      session.run(async (context) => (await calls()).getWork(context, service, version)),
    );
  command
    .command('table')
    .description('the routing table that is published now, as JSON (or -o yaml)')
    .action(() => session.run(async (context) => (await get()).getTable(context)));
  command
    .command('spec <service>')
    .description('the document of a service as it was applied')
    .action((service: string) => session.run(async (context) => (await get()).getSpec(context, service)));
}

function addExplain(program: Command, session: Session): void {
  program
    .command('explain [service]')
    .description(
      'tell why a rollout stands where it stands, or with --host which version a request would reach',
    )
    .option('--host <authority>', 'the host that the request names')
    .option('--path <path>', 'the path', '/')
    .option('-H, --header <name: value>', 'a request header; may be repeated', header)
    .option('--source-address <ip>', "the client's address", ip)
    .option('--grpc', 'it is a gRPC request (default: as its content-type says)')
    .option('--no-grpc', 'it is not')
    .option('--service <service>', 'only the routes of this service')
    .option('--listener <listener>', 'the listener that it arrives on')
    .action((named: string | undefined, { host, ...flags }: ExplainFlags & { host?: string }) =>
      session.run(async (context) => {
        const service = named ?? flags.service;
        if (host !== undefined) {
          const request = { ...flags, host, ...(service !== undefined && { service }) };
          return (await import('../commands/explain.ts')).explain(context, request);
        }
        if (service === undefined)
          throw new CliError(EXIT.usage, 'name a service, or with --host a request', [
            'why it is paused or why it moved: switchyard explain SERVICE',
            'which version a request would reach: switchyard explain --host HOST',
          ]);
        return (await import('../commands/why.ts')).why(context, service);
      }),
    );
}
