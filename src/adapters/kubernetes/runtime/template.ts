/** The Pod template of a version: made once of what the spec names, then kept. Pure. */

import type { Json } from '../../../model/json.ts';
import type { KubernetesRuntimeSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import { copyName } from '../names.ts';
import type { Deployment, Mapping } from './objects.ts';

/** What a version was made of, as its ControllerRevision keeps it. */
export interface Made {
  /** `metadata` with labels and annotations, and `spec`; it names the version's own copies of ConfigMaps and Secrets. */
  readonly template: Mapping;
  readonly port: number | string;
  readonly copies: readonly Copy[];
}

/** A ConfigMap or a Secret that the version has to itself. */
export interface Copy {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string;
  /** The name of the original. */
  readonly of: string;
  /** Pods start without it too. */
  readonly optional: boolean;
}

const RESTARTED = 'kubectl.kubernetes.io/restartedAt';

/** The template that the spec writes, for one version. */
export function writtenTemplate(template: Mapping, version: VersionName): Mapping {
  return withVersion(
    { metadata: mapping(template['metadata']), spec: mapping(template['spec']) },
    version,
  ) as Mapping;
}

/**
 * The template of a Deployment with the images of one version. Labels by which that Deployment selects its Pods are left
 * out: a Service that selects by them too would send its requests to every version.
 */
export function copiedTemplate(
  { spec }: Deployment,
  images: Readonly<Record<string, string>>,
  version: VersionName,
): { readonly template: Mapping; readonly unknown: readonly string[] } {
  const metadata = mapping(spec.template['metadata']);
  const pod = mapping(spec.template['spec']);
  const { matchLabels = {}, matchExpressions = [] } = spec.selector;
  const selected = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  const known = new Set<string>();
  const withImages = (containers: Json | undefined): Json[] =>
    list(containers).map((container) => {
      const { name } = container;
      const image = typeof name === 'string' ? images[name] : undefined;
      if (image === undefined) return container;
      known.add(name as string);
      return { ...container, image: withVersion(image, version) };
    });
  const template = {
    metadata: {
      labels: without(mapping(metadata['labels']), selected),
      annotations: without(mapping(metadata['annotations']), [RESTARTED]),
    },
    spec: {
      ...pod,
      containers: withImages(pod['containers']),
      ...(pod['initContainers'] === undefined ? {} : { initContainers: withImages(pod['initContainers']) }),
    },
  };
  return { template, unknown: Object.keys(images).filter((name) => !known.has(name)) };
}

/** The template with the names of the version's own copies, and which those are. */
export function withOwnCopies(
  template: Mapping,
  { service, version }: { readonly service: ServiceName; readonly version: VersionName },
): { readonly template: Mapping; readonly copies: readonly Copy[] } {
  const copies = new Map<string, Copy>();
  const own = (kind: Copy['kind'], of: string, isOptional: boolean): string => {
    const name = copyName({ service, version, kind, name: of });
    const optional = isOptional && (copies.get(name)?.optional ?? true);
    copies.set(name, { kind, name, of, optional });
    return name;
  };
  const spec = rewritten(mapping(template['spec']), own);
  return { template: { ...template, spec }, copies: [...copies.values()] };
}

/** The field that names the object, by the field that holds the reference. */
const REFERENCES: Readonly<Record<string, Copy['kind']>> = {
  configMapKeyRef: 'ConfigMap',
  configMapRef: 'ConfigMap',
  configMap: 'ConfigMap',
  secretKeyRef: 'Secret',
  secretRef: 'Secret',
  secret: 'Secret',
};

function rewritten(value: Json, own: (kind: Copy['kind'], of: string, isOptional: boolean) => string): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => rewritten(item, own));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Mapping).map(([key, child]) => {
      const kind = Object.hasOwn(REFERENCES, key) ? REFERENCES[key] : undefined;
      const reference = mapping(child);
      // A volume of a Secret has another name for the same.
      const field = typeof reference['secretName'] === 'string' ? 'secretName' : 'name';
      const of = reference[field];
      if (kind === undefined || typeof of !== 'string' || of === '') return [key, rewritten(child, own)];
      return [key, { ...reference, [field]: own(kind, of, reference['optional'] === true) }];
    }),
  );
}

/** What says of a spec what versions are made of: equal text, equal versions. */
export function sourceText({ pods, port }: KubernetesRuntimeSpec): string {
  return JSON.stringify([pods, port]);
}

/** The labels that the Pods of a template have. */
export function podLabels(template: Mapping): Readonly<Record<string, string>> {
  return mapping(mapping(template['metadata'])['labels']) as Readonly<Record<string, string>>;
}

/** The numbers of the ports that containers give names, by name. */
export function namedPorts(template: Mapping): readonly string[] {
  return list(mapping(template['spec'])['containers']).flatMap((container) =>
    list(container['ports']).flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
  );
}

function withVersion(value: Json, version: VersionName): Json {
  if (typeof value === 'string') return value.replaceAll('${version}', version);
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => withVersion(item, version));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as Mapping).map(([key, child]) => [key, withVersion(child, version)]),
  );
}

function without(value: Mapping, keys: readonly string[]): Mapping {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function mapping(value: Json | undefined): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

function list(value: Json | undefined): readonly Mapping[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(mapping) : [];
}
