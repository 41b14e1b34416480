/** The way to a controller in a cluster, as a kubeconfig allows it, and what is in the way in the words of the one who asks. */
import { KubernetesApiError } from './adapters/kubernetes/client/api-error.ts';
import { forward } from './adapters/kubernetes/port-forward/forwarded.ts';
import { controllerPod, NoControllerError } from './adapters/kubernetes/port-forward/pods.ts';
import { Tunnel } from './adapters/kubernetes/port-forward/tunnel.ts';
import { CliError, EXIT } from './cli/exit.ts';
import type { ClusterChoice } from './cli/place.ts';
import type { Tunnel as TunnelOfCommand } from './cli/shell.ts';
import { type ClusterAccess, openAccess } from './cluster.ts';

/** Rejects with CliError. The tunnel ends with the command, however that ends. */
export async function openTunnel(choice: ClusterChoice): Promise<TunnelOfCommand> {
  const access = openAccess(choice);
  const { api, namespace } = access;
  const dial = async () => forward(api, await controllerPod(api, namespace));
  try {
    const tunnel = await Tunnel.open(dial);
    const forget = onEnd(() => tunnel.close());
    return {
      server: tunnel.server,
      trouble: () => (tunnel.trouble === undefined ? undefined : told(tunnel.trouble, access).message),
      close: () => {
        forget();
        tunnel.close();
      },
    };
  } catch (error) {
    throw told(error, access);
  }
}

/** What is in the way, and what would move it out. */
function told(error: unknown, { api, namespace }: ClusterAccess): CliError {
  if (error instanceof NoControllerError) {
    const hints =
      error.unready.length === 0
        ? ['name another namespace with --namespace, or install one: switchyard install']
        : [`look why: kubectl -n ${namespace} describe pod ${error.unready.join(' ')}`];
    return new CliError(EXIT.failed, error.message, hints);
  }
  if (!(error instanceof KubernetesApiError)) {
    return new CliError(EXIT.failed, `${api.server}: ${(error as Error).message}`);
  }
  return new CliError(EXIT.failed, error.message, hintsOf(error, namespace));
}

function hintsOf({ code }: KubernetesApiError, namespace: string): readonly string[] {
  if (code === 401)
    return [`the API server does not know who you are: the kubeconfig's credentials are old or wrong`];
  if (code !== 403) return [];
  return [
    `you need in namespace ${namespace}: list of pods, and get and create of pods/portforward, as in this rule of a Role:`,
    '- { apiGroups: [""], resources: [pods], verbs: [list] }',
    '- { apiGroups: [""], resources: [pods/portforward], verbs: [get, create] }',
  ];
}

/** Runs when the process ends, or a signal ends it that nobody else takes. The function that it returns calls that off. */
function onEnd(close: () => void): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    close();
    process.off(signal, onSignal);
    process.kill(process.pid, signal);
  };
  process.once('exit', close);
  // Before others, which take themselves off when they are called: then they are counted.
  for (const signal of SIGNALS) process.prependListener(signal, onSignal);
  return () => {
    process.off('exit', close);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
