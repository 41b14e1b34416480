/**
 * Which controller a command talks to, and which cluster it means: directly by an address, or through a kubeconfig. What
 * is said on the command line goes before the environment. Pure.
 */
import { CliError, EXIT } from './exit.ts';
import { serverOf } from './paths.ts';
import type { Context } from './shell.ts';

/** A namespace of a cluster, as a kubeconfig knows it; what is absent is as the kubeconfig has it. */
export interface ClusterChoice {
  /** A file; absent: KUBECONFIG, or the user's own. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; absent: its current one. */
  readonly context?: string;
  readonly namespace?: string;
}

/** Where the controller is. */
export type ControllerPlace =
  | { readonly kind: 'direct'; readonly server: string }
  /** A replica in this namespace is reached by a port-forward. */
  | { readonly kind: 'cluster'; readonly cluster: ClusterChoice };

type Asked = Pick<Context, 'options' | 'shell'>;

/** The controller that commands talk to. Throws CliError where both ways are named and neither is the nearer word. */
export function placeOf(asked: Asked): ControllerPlace {
  const { options, shell } = asked;
  const flags = clusterFlags(asked);
  const settings = clusterSettings(asked);
  refuseBoth('--server', options.server, flags);
  if (options.server) return { kind: 'direct', server: serverOf(asked) };
  if (flags.length > 0) return { kind: 'cluster', cluster: clusterOf(asked) };
  const server = shell.env['SWITCHYARD_SERVER'];
  refuseBoth('SWITCHYARD_SERVER', server, settings);
  if (settings.length > 0) return { kind: 'cluster', cluster: clusterOf(asked) };
  return { kind: 'direct', server: serverOf(asked) };
}

/** The cluster that is meant, where a command needs one: by flags, then by the environment. */
export function clusterOf({ options, shell }: Asked): ClusterChoice {
  const kubeconfig = options.kubeconfig || shell.env['SWITCHYARD_KUBECONFIG'];
  const context = options.context || shell.env['SWITCHYARD_CONTEXT'];
  const namespace = options.namespace || shell.env['SWITCHYARD_NAMESPACE'];
  return {
    ...(kubeconfig ? { kubeconfig } : {}),
    ...(context ? { context } : {}),
    ...(namespace ? { namespace } : {}),
  };
}

/** The controller's place in a sentence, behind `at` or `to`. */
export function placeText(place: ControllerPlace): string {
  if (place.kind === 'direct') return place.server;
  const { namespace, context, kubeconfig } = place.cluster;
  const parts = [
    namespace === undefined ? 'the namespace' : `namespace ${namespace}`,
    context === undefined ? 'of the current context' : `of context ${context}`,
    ...(kubeconfig === undefined ? [] : [`of ${kubeconfig}`]),
  ];
  return parts.join(' ');
}

function clusterFlags({ options }: Asked): readonly string[] {
  const { kubeconfig, context, namespace } = options;
  return named({ '--kubeconfig': kubeconfig, '--context': context, '--namespace': namespace });
}

function clusterSettings({ shell: { env } }: Asked): readonly string[] {
  const names = ['SWITCHYARD_KUBECONFIG', 'SWITCHYARD_CONTEXT', 'SWITCHYARD_NAMESPACE'];
  return named(Object.fromEntries(names.map((name) => [name, env[name]])));
}

function named(values: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => (value ? [name] : []));
}

function refuseBoth(direct: string, server: string | undefined, cluster: readonly string[]): void {
  const [through] = cluster;
  if (!server || through === undefined) return;
  throw new CliError(EXIT.usage, `${direct} and ${through} name two ways to a controller: give one`, [
    `${direct} ${server} connects directly`,
    `${through} asks the API server of a kubeconfig for a way to a controller in a namespace`,
  ]);
}
