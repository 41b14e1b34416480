/** Declares the verbs of delegates. Their code is loaded when one is run. */
import type { Command } from 'commander';
import type { ChangeFlags, ChangeMethod } from '../commands/change.ts';
import type { DelegateFlags } from '../commands/delegates.ts';
import { change, verb } from './change.ts';
import { type AddVerbs, changeOptions, type Session, yesOption } from './session.ts';

const load = () => import('../commands/delegates.ts');

export const addDelegateVerbs: AddVerbs = (program, session) => {
  program.commandsGroup('Delegates:');
  const delegates = program.command('delegates').description('what the boxes of delegates run');
  addWaves(delegates, session);
  changeOptions(delegates.command('publish <manifest>'))
    .description('say what boxes fetch for a version: the manifest that `artifact publish` wrote')
    .action((manifest: string, flags: ChangeFlags) =>
      session.run(async (context) => (await load()).publishToBoxes(context, manifest, flags)),
    );
  delegates
    .command('history <service>')
    .description('what boxes were told to run, the newest first')
    .action((service: string) =>
      session.run(async (context) => (await load()).showHistory(context, service)),
    );
  verb(delegates, 'reassert <service>')
    .description(
      'what is recorded here holds over newer goal states: this controller was restored; needs --reason',
    )
    .action((service: string, flags: ChangeFlags) =>
      change(session, { method: 'reassertGoalStates', service, flags, fields: {} }),
    );
  verb(delegates, 'retry <service> <version>')
    .description('let boxes that have given a version up try it again')
    .action((service: string, version: string, flags: ChangeFlags) =>
      change(session, { method: 'retryOnBoxes', service, flags, fields: { version } }),
    );
  yesOption(verb(delegates, 'decommission <service> <box>'))
    .description("tell a box to run nothing any more, where its customer's policy allows it; needs --reason")
    .option('--undo', 'take the order back')
    .action((service: string, box: string, flags: ChangeFlags & { readonly undo?: boolean }) => {
      const undo = flags.undo === true;
      const ask = {
        when: 'Always',
        question: `Stop all delegates on ${box}? Its last version too.`,
      } as const;
      return change(session, {
        method: 'decommissionBox',
        service,
        flags,
        fields: { box, undo },
        ...(undo ? {} : { ask }),
      });
    });
};

function addWaves(delegates: Command, session: Session): void {
  const waves = delegates.command('waves').description('how a candidate reaches the boxes');
  waves
    .command('show <service>')
    .description('the waves, and the boxes of each')
    .action((service: string) => session.run(async (context) => (await load()).showWaves(context, service)));
  const order = (name: string, method: OrderMethod, description: string): void => {
    verb(waves, `${name} <service>`)
      .description(description)
      .action((service: string, flags: ChangeFlags) =>
        change<OrderMethod>(session, { method, service, flags, fields: {} }),
      );
  };
  order('halt', 'haltWaves', 'let no further box have the candidate');
  order('resume', 'resumeWaves', 'go on after a halt; what has failed so far is forgiven');
  order('skip', 'skipWave', 'wait no longer for what the wave waits for; needs --reason');
}

type OrderMethod = Extract<ChangeMethod, 'haltWaves' | 'resumeWaves' | 'skipWave'>;

/** What `get` shows of delegates. */
export function addDelegateGets(get: Command, session: Session): void {
  get
    .command('delegates [service]')
    .alias('delegate')
    .description('boxes with their versions, and what keeps them from what they should run')
    .option('-w, --watch', 'stay and show changes')
    .option('--by-tenant', 'a line for each tenant')
    .option('--troubled', 'only boxes that are away or do not run what they should')
    .action((service = '', flags: DelegateFlags & { readonly watch?: boolean } = {}) =>
      session.run(async (context) =>
        flags.watch === true
          ? (await import('../commands/watch.ts')).watchDelegates(context, service, flags)
          : (await load()).getDelegates(context, service, flags),
      ),
    );
}
