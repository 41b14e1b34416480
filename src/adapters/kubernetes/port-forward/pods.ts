/** Which Pod of the controller is asked: one that is ready, since each passes on to the one that leads. */
import type { KubernetesApi } from '../client/api.ts';
import { POD } from '../client/kinds.ts';
import type { KubernetesObject } from '../client/objects.ts';
import { list } from '../client/watch.ts';
import type { ForwardTo } from './forwarded.ts';

/** As the manifests label it. */
const CONTROLLER_SELECTOR = 'app.kubernetes.io/name=switchyard,app.kubernetes.io/component=controller';
/** As the manifests name and number it. */
const ADMIN_PORT = { name: 'admin', number: 18_001 };

/** What is read of a Pod. */
export interface ControllerPod extends KubernetesObject {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** No Pod can be asked. */
export class NoControllerError extends Error {
  override readonly name = 'NoControllerError';
  readonly namespace: string;
  /** Those that are there, and not ready. */
  readonly unready: readonly string[];

  constructor(namespace: string, unready: readonly string[]) {
    super(
      unready.length === 0
        ? `there is no Pod of the controller in namespace ${namespace}`
        : `no Pod of the controller is ready in namespace ${namespace}: ${unready.join(', ')}`,
    );
    this.namespace = namespace;
    this.unready = unready;
  }
}

/** Rejects with NoControllerError, KubernetesApiError, or the connection's error. */
export async function controllerPod(api: KubernetesApi, namespace: string): Promise<ForwardTo> {
  const { items } = await list<ControllerPod>(
    api,
    { kind: POD, namespace, labelSelector: CONTROLLER_SELECTOR },
    AbortSignal.timeout(15_000),
  );
  return chosenPod(items, namespace);
}

/** The first by name that is ready and stays: two questions in a row go to the same one. Throws NoControllerError. */
export function chosenPod(pods: readonly ControllerPod[], namespace: string): ForwardTo {
  const byName = pods.toSorted((one, other) => (one.metadata.name < other.metadata.name ? -1 : 1));
  const chosen = byName.find(isReady);
  if (chosen === undefined) {
    throw new NoControllerError(
      namespace,
      byName.map(({ metadata }) => metadata.name),
    );
  }
  return { namespace, pod: chosen.metadata.name, port: adminPort(chosen) };
}

function isReady({ metadata, status }: ControllerPod): boolean {
  const conditions = status?.conditions ?? [];
  return (
    metadata.deletionTimestamp === undefined &&
    conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True')
  );
}

function adminPort({ spec }: ControllerPod): number {
  const ports = spec?.containers?.flatMap((container) => container.ports ?? []) ?? [];
  return ports.find(({ name }) => name === ADMIN_PORT.name)?.containerPort ?? ADMIN_PORT.number;
}
