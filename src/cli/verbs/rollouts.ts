/** Declares the verbs of rollouts. Their code is loaded when one is run. */
import type { Command } from 'commander';
import { duration, moment, whole } from '../arguments.ts';
import type { ChangeFlags } from '../commands/change.ts';
import type { ReplayFlags, VerifyFlags } from '../commands/judge.ts';
import type { ReportFlags } from '../commands/report.ts';
import { CliError, EXIT } from '../exit.ts';
import { change, verb } from './change.ts';
import { type AddVerbs, defaulted, type Session, yesOption } from './session.ts';

const rollouts = () => import('../commands/rollouts.ts');
const judge = () => import('../commands/judge.ts');

export const addRolloutVerbs: AddVerbs = (program, session) => {
  program.commandsGroup('Roll out:');
  verb(program, 'deploy <service> <version>')
    .description('want another version: a rollout brings it up, verifies it and moves the traffic')
    .option('--urgent', 'skip waits (delays, windows, step durations), never checks; needs --reason')
    .action((service: string, version: string, flags: ChangeFlags & { urgent?: boolean }) =>
      change(session, {
        method: 'deploy',
        service,
        flags,
        fields: { version, urgent: flags.urgent === true },
      }),
    );
  addSteering(program, session);
  addFreeze(program, session);
  addJudging(program, session);
};

function addSteering(program: Command, session: Session): void {
  verb(program, 'pause <service>')
    .description('let the rollout stand where it is')
    .action((service: string, flags: ChangeFlags) =>
      change(session, { method: 'pauseRollout', service, flags, fields: {} }),
    );
  verb(program, 'resume <service>')
    .description('let a paused rollout go on')
    .action((service: string, flags: ChangeFlags) =>
      change(session, { method: 'resumeRollout', service, flags, fields: {} }),
    );
  verb(program, 'promote <service>')
    .description('go on past a pause, an approval or an undecided gate')
    .option('--full', 'on to 100% without further waits, checks or approvals; needs --reason')
    .action((service: string, flags: ChangeFlags & { full?: boolean }) =>
      change(session, { method: 'promoteRollout', service, flags, fields: { full: flags.full === true } }),
    );
  yesOption(verb(program, 'abort <service>'))
    .description('end the rollout: the default traffic goes back at once')
    .action((service: string, flags: ChangeFlags) =>
      change(session, {
        method: 'abortRollout',
        service,
        flags,
        fields: {},
        ask: { when: 'WhereItTouches', question: `Abort the rollout of ${service}?` },
      }),
    );
  verb(program, 'retry <service>')
    .description('begin an ended rollout again, judged afresh')
    .action((service: string, flags: ChangeFlags) =>
      change(session, { method: 'retryRollout', service, flags, fields: {} }),
    );
}

type FreezeFlags = { readonly for?: number; readonly until?: number };

function addFreeze(program: Command, session: Session): void {
  verb(program, 'freeze <service>')
    .description('let default traffic not move forward (abort and rollback still work); needs --reason')
    .option('--for <duration>', 'how long, for example 24h (default: until unfreeze)', duration)
    .option('--until <time>', 'until then, for example 2026-12-31T18:00:00Z', moment)
    .action(async (service: string, flags: ChangeFlags & FreezeFlags) => {
      const { durationFromMs } = await import('@bufbuild/protobuf/wkt');
      const length = freezeLength(flags, Date.now());
      const fields = length === undefined ? {} : { duration: durationFromMs(length) };
      return change(session, { method: 'freeze', service, flags, fields });
    });
  verb(program, 'unfreeze <service>')
    .description('end a freeze')
    .action((service: string, flags: ChangeFlags) =>
      change(session, { method: 'unfreeze', service, flags, fields: {} }),
    );
}

/** Milliseconds from now; undefined: until somebody ends it. */
function freezeLength(flags: FreezeFlags, now: number): number | undefined {
  if (flags.until === undefined) return flags.for;
  if (flags.for !== undefined) throw new CliError(EXIT.usage, 'give --for or --until, not both');
  if (flags.until <= now)
    throw new CliError(EXIT.usage, `--until ${new Date(flags.until).toISOString()} is not in the future`);
  return flags.until - now;
}

function addJudging(program: Command, session: Session): void {
  program
    .command('verify <service> <version>')
    .description('measure every check of a version once, now; decides nothing')
    .option('--dry-run', 'said for clearness: verify never decides or stores anything')
    .addOption(
      defaulted('--timeout <duration>', 'how long the measurements may take', {
        parse: duration,
        shown: '60s',
      }),
    )
    .addHelpText('after', '\nExit code: 0 Passed, 1 Failed or Error, 2 not decided.')
    .action((service: string, version: string, flags: VerifyFlags) =>
      session.run(async (context) => (await judge()).verify(context, service, version, flags)),
    );
  program
    .command('report <rollout>')
    .description('what a rollout (or the last one of a service) did to every request')
    .option('--html <file>', 'write one self-contained page; - is standard output')
    .action((subject: string, flags: ReportFlags) =>
      session.run(async (context) => (await import('../commands/report.ts')).report(context, subject, flags)),
    );
  program
    .command('replay <rollout>')
    .description('judge what was measured in a rollout by other checks: what would they have decided?')
    .option('-f, --filename <file>', 'document with the other checks, or - (default: the present ones)')
    .action((rollout: string, flags: ReplayFlags) =>
      session.run(async (context) => (await judge()).replay(context, rollout, flags)),
    );
}

/** What `get` shows of rollouts. */
export function addRolloutGets(get: Command, session: Session): void {
  get
    .command('rollout <service>')
    .description('a rollout as a tree: versions, checks, decisions')
    .option('-w, --watch', 'stay and show changes')
    .action((service: string, { watch }: { watch?: boolean }) =>
      session.run(async (context) => {
        const { getRollout, watchRollout } = await rollouts();
        return watch === true ? watchRollout(context, service) : getRollout(context, service);
      }),
    );
  get
    .command('rollouts [service]')
    .description('rollouts, the newest first')
    .option('--limit <number>', 'at most this many', whole(1, 1000), 20)
    .action((service = '', flags = { limit: 20 }) =>
      session.run(async (context) => (await rollouts()).getRollouts(context, service, flags)),
    );
  get
    .command('measurements <rollout>')
    .description('what was measured for a rollout (or the last one of a service), with value and limit')
    .action((rollout: string) =>
      session.run(async (context) => (await rollouts()).getMeasurements(context, rollout)),
    );
}
