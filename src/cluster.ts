/** Where a controller runs on Kubernetes: the API server, the namespace that it looks after, and who this replica is. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';
import { KubernetesApi } from './adapters/kubernetes/client/api.ts';
import { CliError, EXIT } from './cli/exit.ts';
import { addressText } from './serving.ts';

export interface Cluster {
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** Of this replica: its Pod's. */
  readonly name: string;
  /** Where other replicas reach it: its Pod's address. */
  readonly host: string;
}

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/**
 * Reads the kubeconfig (KUBECONFIG, the user's own, or the Pod's service account) and what the Pod says of itself. Throws
 * CliError where something is missing.
 */
export function openCluster(
  flags: { readonly namespace?: string },
  environment: Readonly<Record<string, string | undefined>>,
): Cluster {
  const config = new KubeConfig();
  config.loadFromDefault();
  const context = config.getContextObject(config.currentContext);
  const namespace = flags.namespace ?? context?.namespace ?? namespaceOfPod();
  if (namespace === undefined) {
    throw new CliError(
      EXIT.usage,
      'no namespace is known: give it with --namespace, or in the context of the kubeconfig',
    );
  }
  const api = apiOf(config);
  return {
    api,
    namespace,
    name: environment['POD_NAME'] ?? hostname(),
    host: environment['POD_IP'] ?? '127.0.0.1',
  };
}

function apiOf(config: KubeConfig): KubernetesApi {
  try {
    return new KubernetesApi(config);
  } catch (error) {
    throw new CliError(EXIT.usage, (error as Error).message);
  }
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
