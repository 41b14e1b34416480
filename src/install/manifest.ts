/** An object of Kubernetes as a manifest holds it, and the YAML that it is read from. Pure. */
import { parseAllDocuments, stringify } from 'yaml';
import type { Json } from './json-patch.ts';

/** What our manifests say is kept as it is, so this is all that is known of them. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: Json | undefined;
}

/** Manifests that cannot be read or put together; the message names the file. */
export class ManifestError extends Error {}

/** All documents of a YAML file. Throws ManifestError. */
export function parseDocuments(file: string, text: string): readonly Json[] {
  const documents = parseAllDocuments(text, { version: '1.2' });
  if ('empty' in documents) return [];
  return documents.map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new ManifestError(`${file}: ${error.message}`);
    return document.toJS() as Json;
  });
}

/** YAML that Kubernetes' tools read as we meant it: they still take `on` and `no` for words of truth, as YAML 1.1 does. */
export function manifestText(object: object): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' });
}

/** The objects of a YAML file. Throws ManifestError. */
export function parseManifests(file: string, text: string): readonly Manifest[] {
  return parseDocuments(file, text).map((document) => {
    const { apiVersion, kind, metadata } = (document ?? {}) as Partial<Manifest>;
    if (!apiVersion || !kind || !metadata?.name) {
      throw new ManifestError(`${file}: an object needs apiVersion, kind and metadata.name`);
    }
    return document as unknown as Manifest;
  });
}

const CLUSTER_KINDS: ReadonlySet<string> = new Set(['CustomResourceDefinition', 'Namespace']);

/** The object in a namespace; what belongs to the whole cluster stays as it is. */
export function inNamespace(manifest: Manifest, namespace: string): Manifest {
  if (CLUSTER_KINDS.has(manifest.kind)) return manifest;
  const { name, ...metadata } = manifest.metadata;
  return { ...manifest, metadata: { name, ...metadata, namespace } };
}
