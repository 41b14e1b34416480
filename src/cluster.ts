/**
 * A namespace of a cluster, as a kubeconfig or a Pod's service account knows it: the API server, with our credentials. Where
 * a controller runs there, who this replica is too.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';
import { KubernetesApi } from './adapters/kubernetes/client/api.ts';
import { KubernetesApiError } from './adapters/kubernetes/client/api-error.ts';
import { CliError, EXIT } from './cli/exit.ts';
import { type ClusterChoice, clusterOf } from './cli/place.ts';
import type { Context } from './cli/shell.ts';
import { NamespaceWorkError } from './namespace-work/error.ts';
import { addressText } from './serving.ts';

/** What a command needs that works in a namespace. */
export interface ClusterAccess {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Of the kubeconfig. */
  readonly context: string;
}

export interface Cluster extends ClusterAccess {
  /** Of this replica: its Pod's. */
  readonly name: string;
  /** Where other replicas reach it: its Pod's address. */
  readonly host: string;
}

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** Of client-node: where it found no kubeconfig it makes one of this context, which leads nowhere. */
const MADE_UP = 'loaded-context';

/** What a replica of the controller stands on. Throws CliError where something is missing. */
export function openCluster(context: Context): Cluster {
  const environment = context.shell.env;
  return {
    ...openAccess(clusterOf(context)),
    name: environment['POD_NAME'] ?? hostname(),
    host: environment['POD_IP'] ?? '127.0.0.1',
  };
}

/**
 * Reads the kubeconfig: the file that is named, else KUBECONFIG, else the user's own, else the Pod's service account. Nothing
 * is asked of the API server. Throws CliError where there is none, or where it has not what was chosen.
 */
export function openAccess(choice: ClusterChoice): ClusterAccess {
  const config = configOf(choice);
  const context = config.currentContext;
  const namespace = choice.namespace ?? config.getContextObject(context)?.namespace ?? namespaceOfPod();
  if (namespace === undefined) {
    throw new CliError(
      EXIT.usage,
      'no namespace is known: give it with --namespace, or in the context of the kubeconfig',
    );
  }
  try {
    return { api: new KubernetesApi(config), namespace, context };
  } catch (error) {
    throw new CliError(EXIT.usage, (error as Error).message);
  }
}

/** Runs work in a namespace: what refuses it, there or at the API server, is a CliError. */
export async function inWords<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NamespaceWorkError) throw new CliError(EXIT.failed, error.message, error.hints);
    if (error instanceof KubernetesApiError) throw new CliError(EXIT.failed, error.message);
    throw error;
  }
}

function configOf({ kubeconfig, context }: ClusterChoice): KubeConfig {
  const config = new KubeConfig();
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    const file = kubeconfig ?? process.env['KUBECONFIG'] ?? '~/.kube/config';
    throw new CliError(EXIT.usage, `the kubeconfig ${file} cannot be read: ${(error as Error).message}`);
  }
  if (kubeconfig === undefined && config.currentContext === MADE_UP) {
    throw new CliError(EXIT.usage, 'there is no kubeconfig', [
      'name one with --kubeconfig, SWITCHYARD_KUBECONFIG or KUBECONFIG, or write ~/.kube/config',
    ]);
  }
  if (context === undefined) return config;
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context)) {
    throw new CliError(
      EXIT.usage,
      `the kubeconfig has no context ${JSON.stringify(context)}; it has ${known.length === 0 ? 'none' : known.join(', ')}`,
    );
  }
  config.setCurrentContext(context);
  return config;
}

function namespaceOfPod(): string | undefined {
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Who a replica is in the Lease: its name, where replicas reach it, and something that differs at each start. */
export function identityOf({ name, host }: Pick<Cluster, 'name' | 'host'>, port: number): string {
  return `${name}@${addressText({ host, port })}#${randomBytes(4).toString('hex')}`;
}

/** Where the replica of an identity is reached; undefined where the text is none. */
export function addressIn(identity: string): { readonly host: string; readonly port: number } | undefined {
  const match = /@(?:\[([^\]]+)\]|([^:[\]@#]+)):(\d{1,5})#/.exec(identity);
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? undefined : { host, port: Number(match?.[3]) };
}
