/** The objects that were installed: which there are, and how they are taken away. */
import { isNotFound } from '../adapters/kubernetes/client/api-error.ts';
import type { Kind, KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { type Place, readOne } from '../namespace-work/place.ts';

/** An object of the manifests. */
export interface ManifestName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface InstalledObject {
  readonly kind: Kind;
  readonly object: KubernetesObject;
}

const OURS = 'app.kubernetes.io/name';
const HELM_RELEASE = 'meta.helm.sh/release-name';

/** Those of the manifests that are there and are Switchyard's. */
export async function readInstallation(
  place: Place,
  manifests: readonly ManifestName[],
): Promise<readonly InstalledObject[]> {
  const found = await Promise.all(
    manifests.map(async ({ apiVersion, kind: name, name: objectName }) => {
      const kind = kindOf(apiVersion, name);
      const object = await readOne(place, kind, objectName);
      return object?.metadata.labels?.[OURS] === 'switchyard' ? [{ kind, object }] : [];
    }),
  );
  return found.flat();
}

/** The release of Helm that an object belongs to: Helm takes it away itself. */
export function helmReleaseOf({ object }: InstalledObject): string | undefined {
  return object.metadata.annotations?.[HELM_RELEASE];
}

/** Deletes an object with what it owns; one that is gone already is no failure. */
export async function remove({ api, namespace }: Place, { kind, object }: InstalledObject): Promise<void> {
  const { name, uid } = object.metadata;
  try {
    await api.delete(kind, { namespace, name }, uid === undefined ? {} : { uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

function kindOf(apiVersion: string, kind: string): Kind {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const small = kind.toLowerCase();
  const plural = small.endsWith('y') ? `${small.slice(0, -1)}ies` : `${small}s`;
  return { group: group ?? '', version: version ?? '', kind, plural, scope: 'Namespaced' };
}
