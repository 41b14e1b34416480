/** Runs `uninstall`: says what stays and what goes, asks, and takes Switchyard out of a namespace. */
import { systemClock } from './adapters/clock.ts';
import { manifestNames } from './cli/commands/install.ts';
import { confirm } from './cli/confirm.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { UninstallFlags } from './cli/local-commands.ts';
import { isForMachines, printData } from './cli/output.ts';
import { clusterOf, placeOf } from './cli/place.ts';
import { type Context, note, print } from './cli/shell.ts';
import { type ClusterAccess, inWords, openAccess } from './cluster.ts';
import { documentsOf } from './uninstall/documents.ts';
import { helmReleaseOf, type InstalledObject, readInstallation } from './uninstall/installation.ts';
import { planOf, type ServicePlan } from './uninstall/plan.ts';
import {
  letGo,
  nameOf,
  readInstalled,
  removeRest,
  removeService,
  type Steps,
  stopController,
} from './uninstall/steps.ts';

/** Throws CliError where it cannot be done. */
export async function runUninstall(context: Context, flags: UninstallFlags): Promise<ExitCode> {
  refuseOneMachine(context);
  return inWords(() => run(context, accessOf(context), flags));
}

/** There nothing was installed that could be taken out: what to do is for a person, since it may end instances. */
const ONE_MACHINE = [
  'on one machine there is nothing to uninstall but the package. Stop the controller with SIGTERM: instances that it started run on, and nobody starts them again; proxies keep the routes that they have',
  '`switchyard export envoy` prints these routes for an Envoy without a controller; `switchyard down` ends the instances too',
  'then remove its data folder',
];

function refuseOneMachine(context: Context): void {
  const place = placeOf(context);
  const isNamed = Boolean(context.options.server) || Boolean(context.shell.env['SWITCHYARD_SERVER']);
  if (place.kind !== 'direct' || !isNamed) return;
  throw new CliError(
    EXIT.usage,
    `uninstall is for a namespace of Kubernetes, and ${place.server} is a controller`,
    [
      ...ONE_MACHINE,
      'on Kubernetes leave --server and SWITCHYARD_SERVER out, or give --context, --kubeconfig or --namespace',
    ],
  );
}

function accessOf(context: Context): ClusterAccess {
  try {
    return openAccess(clusterOf(context));
  } catch (error) {
    if (error instanceof CliError)
      throw new CliError(error.exitCode, error.message, [...error.hints, ...ONE_MACHINE]);
    throw error;
  }
}

async function run(context: Context, access: ClusterAccess, flags: UninstallFlags): Promise<ExitCode> {
  const { namespace } = access;
  const policy = { waiveOpenWork: flags.waiveOpenWork === true };
  const plans = planOf(await readInstalled(access), policy);
  const all = await readInstallation(
    access,
    manifestNames({ namespace, withGateway: flags.withGateway === true }),
  );
  const installation = all.filter((one) => helmReleaseOf(one) === undefined);
  if (isForMachines(context)) {
    await printData(context, documentsOf(plans));
    return EXIT.ok;
  }
  show(context, plans, installation);
  refuse(plans);
  const rest = restOf(namespace, all, flags);
  if (flags.dryRun === true) {
    print(context, `then by hand:\n${rest.map((line) => `  ${line}`).join('\n')}`);
    return EXIT.ok;
  }
  await confirm(context, {
    question: `Take Switchyard out of namespace ${namespace}?`,
    yes: flags.yes === true,
  });
  const steps: Steps = {
    ...access,
    clock: systemClock,
    timeout: flags.timeout,
    tell: (line) => note(context, line),
    wayOn: 'nothing was lost: the same command goes on from here',
  };
  const startAgain = await stopController(steps);
  // What began while it stopped.
  const last = planOf(await readInstalled(access), policy);
  if (last.some(({ refusals }) => refusals.length > 0)) {
    await startAgain();
    refuse(last);
  }
  for (const plan of last) await letGo(steps, plan);
  for (const plan of last) await removeService(steps, plan);
  await removeRest(steps, installation);
  print(
    context,
    `Switchyard is out of namespace ${namespace}. What is left, by hand:\n${rest.map((line) => `  ${line}`).join('\n')}`,
  );
  return EXIT.ok;
}

function show(
  context: Context,
  plans: readonly ServicePlan[],
  installation: readonly InstalledObject[],
): void {
  for (const { service, primary, stays, goes } of plans) {
    print(
      context,
      primary === undefined ? `${service}: no version is primary` : `${service}: ${primary} goes on serving`,
    );
    print(context, `  stays: ${stays.map(nameOf).join(', ') || 'nothing'}`);
    print(
      context,
      `  goes:  ${['routes and pins', ...goes.map((version) => `version ${version}`)].join(', ')}`,
    );
  }
  if (plans.length === 0) print(context, 'there is no VersionedService');
  print(
    context,
    `installation, goes: ${installation.map(({ object }) => nameOf(object)).join(', ') || 'nothing'}`,
  );
}

function refuse(plans: readonly ServicePlan[]): void {
  const refusals = plans.flatMap((plan) => plan.refusals);
  if (refusals.length === 0) return;
  throw new CliError(EXIT.failed, 'nothing was changed: something is under way', refusals);
}

function restOf(
  namespace: string,
  all: readonly InstalledObject[],
  { withGateway }: UninstallFlags,
): readonly string[] {
  const releases = [...new Set(all.flatMap((one) => helmReleaseOf(one) ?? []))];
  return [
    ...releases.map((release) => `helm uninstall ${release} --namespace ${namespace}`),
    ...(withGateway === true
      ? []
      : [
          `kubectl --namespace ${namespace} delete all,networkpolicy,pdb,configmap,serviceaccount -l app.kubernetes.io/name=switchyard   # the gateway, where there is one: it keeps its last routes, so move its clients to the Services first`,
        ]),
    'kubectl delete crd versionedservices.switchyard.dev rollouts.switchyard.dev serviceroutings.switchyard.dev controllerstates.switchyard.dev   # only where no other namespace has an installation: it deletes all services of the cluster',
    `kubectl delete namespace ${namespace}   # only where nothing else is in it: it ends what goes on serving`,
  ];
}
