/** Declares the verbs that change a service. Their code is loaded when one is run. */
import type { Command } from 'commander';
import { count, duration, percent, repeated, serviceGeneration } from '../arguments.ts';
import type { ApplyFlags } from '../commands/apply.ts';
import type { ChangeCommand, ChangeFlags, ChangeMethod } from '../commands/change.ts';
import type { DownFlags } from '../commands/controller-calls.ts';
import { type AddVerbs, changeOptions, defaulted, type Session, yesOption } from './session.ts';

const load = () => import('../commands/change.ts');

/** Runs a change of a service. */
export function change<M extends ChangeMethod>(session: Session, command: ChangeCommand<M>): Promise<void> {
  return session.run(async (context) => (await load()).runChange(context, command));
}

/** A verb that changes a service, with the options of all of them. */
export function verb(program: Command, nameAndArguments: string): Command {
  return changeOptions(program.command(nameAndArguments)).option(
    '--expected-generation <number>',
    'refuse if the service has changed since you read this generation',
    count,
  );
}

type Waiver = { readonly waiveGates?: boolean };
type DrainFlags = { readonly giveUpRollback?: boolean; readonly waiveStragglers?: boolean };
type RetireFlags = DrainFlags & { readonly waiveOpenWork?: boolean };

export const addChangeVerbs: AddVerbs = (program, session) => {
  program.commandsGroup('Change services:');
  changeOptions(program.command('apply'))
    .description('create or change services from files; all of them or none')
    .requiredOption('-f, --filename <file>', 'YAML file, or - for standard input; may be repeated', repeated)
    .option(
      '--expected-generation <service=number>',
      'refuse if the service has changed since you read this generation; may be repeated',
      serviceGeneration,
    )
    .action((flags: ApplyFlags) =>
      session.run(async (context) => (await import('../commands/apply.ts')).apply(context, flags)),
    );
  const remove = program.command('delete').description('delete a service');
  yesOption(verb(remove, 'service <service>'))
    .description('delete a service with its primary, its versions and its routes')
    .action((service: string, flags: ChangeFlags) => {
      const ask = { when: 'Always', question: `Delete service ${service}? All its traffic ends.` } as const;
      return change(session, { method: 'deleteService', service, flags, fields: {}, ask });
    });
  addTrafficVerbs(program, session);
  addLifecycleVerbs(program, session);
};

function addTrafficVerbs(program: Command, session: Session): void {
  program.commandsGroup('Move traffic:');
  verb(program, 'flip <service> <version>')
    .description('move all default traffic to a version')
    .option('--waive-gates', 'let through what is quarantined, abandoned or not verified yet; needs --reason')
    .action((service: string, version: string, flags: ChangeFlags & Waiver) =>
      change(session, {
        method: 'flip',
        service,
        flags,
        fields: { version, waiveGates: flags.waiveGates === true },
      }),
    );
  verb(program, 'set-weight')
    .argument('<service>')
    .argument('<version>')
    .argument('<percent>', 'share of the default traffic: 0 ends the shift, 100 is the flip', percent)
    .description('give a version a share of the default traffic')
    .option('--waive-gates', 'let through what is quarantined, abandoned or not verified yet; needs --reason')
    .action((service: string, version: string, weight: number, flags: ChangeFlags & Waiver) => {
      const fields = { version, weight, waiveGates: flags.waiveGates === true };
      return change(session, { method: 'setWeight', service, flags, fields });
    });
  yesOption(verb(program, 'rollback <service>'))
    .alias('undo')
    .description('move all default traffic back to the previous primary, at once')
    .option('--to <version>', 'another version than the previous primary')
    .action((service: string, flags: ChangeFlags & { to?: string }) =>
      change(session, {
        method: 'rollback',
        service,
        flags,
        fields: { to: flags.to ?? '' },
        ask: { when: 'WhereItTouches', question: `Move all default traffic of ${service} back?` },
      }),
    );
  verb(program, 'hold <service> <tenant> <version>')
    .description('keep a tenant on a version for a time; needs --reason')
    .requiredOption('--for <duration>', 'how long, for example 24h', duration)
    .action(
      async (service: string, tenant: string, version: string, flags: ChangeFlags & { for: number }) => {
        const { durationFromMs } = await import('@bufbuild/protobuf/wkt');
        const fields = { tenant, version, duration: durationFromMs(flags.for) };
        return change(session, { method: 'hold', service, flags, fields });
      },
    );
  verb(program, 'release <service> <tenant>')
    .description('end a hold')
    .action((service: string, tenant: string, flags: ChangeFlags) =>
      change(session, { method: 'release', service, flags, fields: { tenant } }),
    );
}

function addLifecycleVerbs(program: Command, session: Session): void {
  program.commandsGroup('End versions:');
  yesOption(verb(program, 'drain <service> <version>'))
    .description('give a version no new work; open work goes on')
    .option('--give-up-rollback', 'drain the previous primary: afterwards there is no way back')
    .option('--waive-stragglers', 'do not wait for proxies that are away or behind; needs --reason')
    .action((service: string, version: string, flags: ChangeFlags & DrainFlags) =>
      change(session, {
        method: 'drain',
        service,
        flags,
        fields: {
          version,
          giveUpRollback: flags.giveUpRollback === true,
          waiveStragglers: flags.waiveStragglers === true,
        },
        ask: { when: 'WhereItTouches', question: `Give ${version} of ${service} no new work?` },
      }),
    );
  yesOption(verb(program, 'retire <service> <version>'))
    .description('take a drained version away: routes, cluster, instances')
    .option('--give-up-rollback', 'retire the previous primary: afterwards there is no way back')
    .option('--waive-open-work', 'although work is open or unknown; needs --reason')
    .option('--waive-stragglers', 'do not wait for proxies that are away or behind; needs --reason')
    .action((service: string, version: string, flags: ChangeFlags & RetireFlags) =>
      change(session, {
        method: 'retire',
        service,
        flags,
        fields: {
          version,
          giveUpRollback: flags.giveUpRollback === true,
          waiveOpenWork: flags.waiveOpenWork === true,
          waiveStragglers: flags.waiveStragglers === true,
        },
        ask: {
          when: 'Always',
          question: `Retire ${version} of ${service}? Its instances are stopped for good.`,
        },
      }),
    );
  yesOption(program.command('down'))
    .description('stop all instances that Switchyard runs, and the controller')
    .option('--reason <text>', 'why, for the audit trail')
    .addOption(
      defaulted('--timeout <duration>', 'how long instances may take to stop', {
        parse: duration,
        shown: '60s',
      }),
    )
    .action((flags: DownFlags) =>
      session.run(async (context) => (await import('../commands/controller-calls.ts')).down(context, flags)),
    );
}
