/** Definitions of custom resources at a real API server, and what it says of objects. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { CRD_FOLDER } from '../../../scripts/crds/crds.ts';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { CUSTOM_RESOURCE_DEFINITION } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { eventually } from '../eventually.ts';
import type { TestNamespace } from './shared-cluster.ts';

export interface Definition extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Installs a definition, or brings it up to date, and waits until its kind is served. */
export async function install({ api }: TestNamespace, definition: Definition): Promise<void> {
  const { name } = definition.metadata;
  // As kubectl would, since other tests apply the manifests by kubectl: two managers would be a conflict.
  await api.json({
    method: 'PATCH',
    path: pathOf(CUSTOM_RESOURCE_DEFINITION, { name }),
    query: { fieldManager: 'kubectl', force: true },
    contentType: 'application/apply-patch+yaml',
    body: definition,
  });
  await eventually(async () => {
    const { status } = await api.get<Definition>(CUSTOM_RESOURCE_DEFINITION, { name });
    return status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True');
  });
}

/** Installs the definitions of our own kinds, as the manifests have them. */
export async function installKinds(place: TestNamespace, ...kinds: readonly Kind[]): Promise<void> {
  for (const { group, plural } of kinds) {
    const text = readFileSync(`${CRD_FOLDER}/${group}_${plural}.yaml`, 'utf8');
    await install(place, parse(text) as Definition);
  }
}

/** Why the server would refuse an object; undefined where it would take it. Nothing is stored. */
export async function refusal(
  { api, namespace }: TestNamespace,
  kind: Kind,
  object: object,
): Promise<KubernetesApiError | undefined> {
  try {
    await api.json({
      method: 'POST',
      path: pathOf(kind, { namespace }),
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: object,
    });
    return undefined;
  } catch (error) {
    if (error instanceof KubernetesApiError && error.code < 500 && error.code !== 404) return error;
    throw error;
  }
}
