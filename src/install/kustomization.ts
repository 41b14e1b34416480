/**
 * Puts manifests together as kustomize does, for the fields that our kustomizations use; any other is refused. So
 * `switchyard install` and the Helm chart are made of the same files that kustomize reads, and need no kustomize. A test
 * compares with kustomize itself. Pure: files are read by the caller.
 */
import { type ImageName, imageText, parseImage } from './image.ts';
import { type Json, type PatchOperation, patched } from './json-patch.ts';
import { inNamespace, type Manifest, ManifestError, parseDocuments, parseManifests } from './manifest.ts';

/** What a kustomization may say here; paths are from its own folder. */
export interface Kustomization {
  readonly namespace?: string;
  /** Files, and folders with a kustomization. */
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly Patch[];
  readonly images?: readonly ImageChange[];
  readonly replicas?: readonly { readonly name: string; readonly count: number }[];
}

interface Patch {
  readonly target: { readonly kind: string; readonly name: string };
  /** YAML of a JSON Patch. */
  readonly patch: string;
}

interface ImageChange {
  /** Without tag and digest. */
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** The text of a file; `path` is from the root of all manifests. */
export type ReadFile = (path: string) => string;

const FIELDS: ReadonlySet<string> = new Set([
  'apiVersion',
  'kind',
  'namespace',
  'resources',
  'components',
  'patches',
  'images',
  'replicas',
]);

/** The objects that the kustomization of a folder stands for. Throws ManifestError or PatchError. */
export function renderFolder(
  folder: string,
  read: ReadFile,
  onto: readonly Manifest[] = [],
): readonly Manifest[] {
  const file = `${folder}/kustomization.yaml`;
  const [document] = parseDocuments(file, read(file));
  const unknown = Object.keys((document ?? {}) as object).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    throw new ManifestError(`${file}: ${unknown} is not known here; known are ${[...FIELDS].join(', ')}`);
  }
  return render({ folder, kustomization: document as Kustomization, read }, onto);
}

/** The objects that a kustomization stands for; a component changes those that are there already, `onto`. */
export function render(
  from: { readonly folder: string; readonly kustomization: Kustomization; readonly read: ReadFile },
  onto: readonly Manifest[] = [],
): readonly Manifest[] {
  const { folder, kustomization, read } = from;
  const { resources = [], components = [], patches = [], images = [], replicas = [] } = kustomization;
  const own = resources.flatMap((path) => resource(join(folder, path), read));
  const all = components.reduce<readonly Manifest[]>(
    (manifests, path) => renderFolder(join(folder, path), read, manifests),
    [...onto, ...own],
  );
  const patchedAll = patches.reduce((manifests, patch) => withPatch(folder, manifests, patch), all);
  const { namespace } = kustomization;
  return patchedAll
    .map((manifest) => (namespace === undefined ? manifest : moved(manifest, namespace, patchedAll)))
    .map((manifest) => images.reduce(withImage, manifest))
    .map((manifest) => replicas.reduce(withReplicas, manifest));
}

function resource(path: string, read: ReadFile): readonly Manifest[] {
  return path.endsWith('.yaml') ? parseManifests(path, read(path)) : renderFolder(path, read);
}

/** `overlays/dev` and `../../base`: `base`. */
function join(folder: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${folder}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function withPatch(
  folder: string,
  manifests: readonly Manifest[],
  { target, patch }: Patch,
): readonly Manifest[] {
  const isTarget = ({ kind, metadata }: Manifest): boolean =>
    kind === target.kind && metadata.name === target.name;
  if (!manifests.some(isTarget)) {
    throw new ManifestError(`${folder}: there is no ${target.kind} ${target.name} to patch`);
  }
  const [operations] = parseDocuments(`${folder}/kustomization.yaml`, patch);
  return manifests.map((manifest) =>
    isTarget(manifest)
      ? (patched(manifest as Json, operations as unknown as readonly PatchOperation[]) as Manifest)
      : manifest,
  );
}

type Subject = { readonly kind: string; readonly name: string; readonly namespace?: string };

/** In its namespace; and so are the service accounts of ours that it names. */
function moved(manifest: Manifest, namespace: string, all: readonly Manifest[]): Manifest {
  const result = inNamespace(manifest, namespace);
  const subjects = manifest['subjects'] as readonly Subject[] | undefined;
  if (subjects === undefined) return result;
  const isOurs = (subject: Subject): boolean =>
    all.some(({ kind, metadata }) => kind === subject.kind && metadata.name === subject.name);
  const inIt = subjects.map((each) => (isOurs(each) ? { ...each, namespace } : each));
  return { ...result, subjects: inIt };
}

interface PodOwner {
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}
interface PodSpec {
  readonly containers: readonly { readonly image: string }[];
}

function withImage(manifest: Manifest, change: ImageChange): Manifest {
  const { spec } = manifest as PodOwner;
  const pod = spec?.template?.spec;
  if (spec === undefined || pod === undefined) return manifest;
  const containers = pod.containers.map((container) => {
    const image = parseImage(container.image);
    return image.name === change.name
      ? { ...container, image: imageText(changed(image, change)) }
      : container;
  });
  const template = { ...spec.template, spec: { ...pod, containers } };
  return { ...manifest, spec: { ...spec, template } };
}

/** A new tag or digest replaces both. */
function changed(image: ImageName, { newName, newTag, digest }: ImageChange): ImageName {
  const name = newName ?? image.name;
  if (newTag === undefined && digest === undefined) return { ...image, name };
  return {
    name,
    ...(newTag === undefined ? {} : { tag: newTag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function withReplicas(manifest: Manifest, change: { name: string; count: number }): Manifest {
  if (manifest.kind !== 'Deployment' || manifest.metadata.name !== change.name) return manifest;
  return { ...manifest, spec: { ...(manifest['spec'] as object), replicas: change.count } };
}
