/** Runs `adopt`: reads what is there, says what it would do, asks, and does it step by step. */
import { systemClock } from './adapters/clock.ts';
import { targetOf } from './adoption/choose.ts';
import type { Finding } from './adoption/finding.ts';
import { type AdoptionPlan, planAdoption } from './adoption/plan.ts';
import { mustBeLed } from './adoption/read.ts';
import { adopt, complete, type Steps, undo } from './adoption/steps.ts';
import { confirm } from './cli/confirm.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { AdoptFlags } from './cli/local-commands.ts';
import { isForMachines, printData } from './cli/output.ts';
import { clusterOf } from './cli/place.ts';
import { type Context, note, print } from './cli/shell.ts';
import { inWords, openAccess } from './cluster.ts';

interface Wish {
  readonly target: string;
  readonly version: string | undefined;
}

/** Throws CliError where it cannot be done. */
export async function runAdopt(context: Context, wish: Wish, flags: AdoptFlags): Promise<ExitCode> {
  if (flags.complete === true && flags.undo === true)
    throw new CliError(EXIT.usage, '--complete and --undo are opposites: give one of them');
  return inWords(() => run(context, wish, flags));
}

async function run(context: Context, { target, version }: Wish, flags: AdoptFlags): Promise<ExitCode> {
  const access = openAccess(clusterOf(context));
  const { port, waive = [] } = flags;
  const plan = await planAdoption(access, {
    target: targetOf(target),
    ...(version === undefined ? {} : { version }),
    ...(port === undefined ? {} : { port }),
  });
  const isBeginning = flags.complete !== true && flags.undo !== true;
  if (isForMachines(context)) {
    await printData(context, plan.document);
    return EXIT.ok;
  }
  print(context, headOf(plan, access.namespace));
  if (isBeginning) for (const finding of plan.findings) print(context, findingLine(context, finding, waive));
  const doing = doingOf(plan, flags);
  print(context, doing.lines.map((line, index) => `  ${index + 1}. ${line}`).join('\n'));
  if (isBeginning) refuseLoss(plan.findings, waive);
  await mustBeLed(access, systemClock.now());
  if (flags.dryRun === true) return EXIT.ok;
  await confirm(context, { question: doing.question, yes: flags.yes === true });
  const steps: Steps = {
    ...access,
    clock: systemClock,
    timeout: flags.timeout,
    settle: flags.settle,
    tell: (line) => note(context, line),
    wayOn: 'nothing was lost: the same command goes on from here, and --undo goes back',
  };
  await doing.run(steps);
  print(context, doing.next);
  return EXIT.ok;
}

interface Doing {
  readonly lines: readonly string[];
  readonly question: string;
  readonly run: (steps: Steps) => Promise<void>;
  /** What may follow. */
  readonly next: string;
}

function doingOf(plan: AdoptionPlan, flags: AdoptFlags): Doing {
  const { service, version, chosen } = plan;
  const old = `deployment/${chosen.deployment.metadata.name}`;
  const entrance = `service/${chosen.service.metadata.name}`;
  const command = `switchyard adopt ${old}`;
  if (flags.undo === true) {
    return {
      lines: [
        `${old} gets its Pods again, where it has none`,
        `${entrance} leads to them as before, when all are ready`,
        `VersionedService ${service} goes, with ${version} and its routes: requests through its listeners end`,
      ],
      question: `Go back to ${old}?`,
      run: (steps) => undo(steps, plan),
      next: `undone: ${entrance} leads to ${old}`,
    };
  }
  if (flags.complete === true) {
    return {
      lines: [
        `${old} is scaled to 0; it stays, since versions are made of its Pod template. Where it is in Git, write replicas: 0 there`,
      ],
      question: `End the old Pods of ${old}?`,
      run: (steps) => complete(steps, plan),
      next: `complete: ${service} has ${version} alone. Back: ${command} --undo`,
    };
  }
  return {
    lines: [
      `VersionedService ${service} is made; ${version} gets Pods of its own, made of the template of ${old}`,
      `when all are ready, ${entrance} leads to them and keeps its address (${chosen.service.spec.clusterIP ?? 'none'}) and its ports`,
      'the old Pods run on: --complete ends them, --undo goes back',
    ],
    question: `Adopt ${old} as ${version} of ${service}?`,
    run: (steps) => adopt(steps, plan),
    next: `adopted: ${entrance} leads to ${version}. Then: ${command} --complete. Back: ${command} --undo`,
  };
}

const STAGES: Readonly<Record<AdoptionPlan['stage'], string>> = {
  Untouched: 'nothing was done yet',
  Wished: 'the VersionedService is there, the Service was not moved',
  Led: 'the Service leads to the service, the old Pods still run',
  Completed: 'it is complete',
};

function headOf({ service, version, chosen, stage }: AdoptionPlan, namespace: string): string {
  const { deployment, service: entrance } = chosen;
  return `deployment/${deployment.metadata.name} with service/${entrance.metadata.name} of namespace ${namespace}, as ${version} of ${service}: ${STAGES[stage]}`;
}

function findingLine(
  { paint }: Context,
  { name, weight, message }: Finding,
  waive: readonly string[],
): string {
  if (weight === 'Told') return `  ${paint.faint('•')} ${name}: ${message}`;
  const isWaived = weight === 'Lossy' && waive.includes(name);
  return isWaived
    ? `  ${paint.busy('⚠')} ${name}, waived: ${message}`
    : `  ${paint.bad('✖')} ${name}: ${message}`;
}

function refuseLoss(findings: readonly Finding[], waive: readonly string[]): void {
  const refused = findings.filter(({ weight }) => weight === 'Refused').map(({ name }) => name);
  const lossy = findings
    .filter(({ weight, name }) => weight === 'Lossy' && !waive.includes(name))
    .map(({ name }) => name);
  if (refused.length + lossy.length === 0) return;
  throw new CliError(EXIT.failed, 'it is not adopted: requests would be lost, or it cannot be done', [
    ...(refused.length === 0 ? [] : [`mend these first: ${refused.join(', ')}`]),
    ...(lossy.length === 0
      ? []
      : [
          `mend these, or waive them where you know better: ${lossy.map((name) => `--waive ${name}`).join(' ')}`,
        ]),
  ]);
}
