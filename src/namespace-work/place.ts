/** A namespace of a cluster, and its objects as they are read once, for commands that work there step by step. */
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { unlessNotFound } from '../adapters/kubernetes/client/api-error.ts';
import type { Kind, KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { list } from '../adapters/kubernetes/client/watch.ts';

/** A namespace, and the way to it. */
export interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
}

const PATIENCE = 30_000;

/** The objects of a kind, with who manages which field. */
export async function readAll<Item extends KubernetesObject>(
  { api, namespace }: Place,
  kind: Kind,
  labelSelector?: string,
): Promise<readonly Item[]> {
  const selection = {
    kind,
    namespace,
    keepsManagers: true,
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
  return (await list<Item>(api, selection, AbortSignal.timeout(PATIENCE))).items;
}

/** Undefined where there is none. */
export async function readOne<Item extends KubernetesObject>(
  { api, namespace }: Place,
  kind: Kind,
  name: string,
): Promise<Item | undefined> {
  return api.get<Item>(kind, { namespace, name }, AbortSignal.timeout(PATIENCE)).catch(unlessNotFound);
}
