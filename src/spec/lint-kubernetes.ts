/** What a careful operator would want to know of Pods before they are made: readiness, requests, images, budgets. */
import type { Json } from '../model/json.ts';
import type { KubernetesRuntimeSpec } from '../model/kubernetes.ts';
import type { UpstreamSpec } from '../model/spec.ts';
import { error, type Finding, warning, when } from './lint-finding.ts';
import { looksSecret } from './looks-secret.ts';
import { containersOf, holdsText, type Mapping, mappingOf, mappingsOf, probesGrpc } from './pod-template.ts';

const PATH = 'spec.runtime.kubernetes';
const VERSION = '${version}';

/** The findings of spec.runtime.kubernetes. */
export function lintKubernetes(
  runtime: KubernetesRuntimeSpec,
  { protocol }: UpstreamSpec,
): readonly Finding[] {
  const { pods } = runtime;
  const speaksGrpc = pods.kind === 'template' && probesGrpc(pods.template);
  return [
    ...ofPods(runtime),
    ...when(speaksGrpc && protocol === 'Http1', () =>
      warning(
        'spec.upstream.protocol',
        'the Pods answer gRPC probes, but proxies speak HTTP/1.1 to them: write Http2 or SameAsClient',
      ),
    ),
    ...ofCount(runtime),
    ...ofMaxUnavailable(runtime),
  ];
}

function ofPods(runtime: KubernetesRuntimeSpec): readonly Finding[] {
  const { pods } = runtime;
  if (pods.kind === 'template') return ofTemplate(pods.template, runtime);
  const images = Object.entries(pods.images);
  return [
    ...when(!images.some(([, image]) => image.includes(VERSION)), () =>
      warning(`${PATH}.deployment.images`, `none holds ${VERSION}: all versions would be the same`),
    ),
    ...images.flatMap(([name, image]) => ofImage(image, `${PATH}.deployment.images.${name}`)),
  ];
}

function ofTemplate(template: Mapping, runtime: KubernetesRuntimeSpec): readonly Finding[] {
  const containers = containersOf(template) ?? [];
  const path = `${PATH}.template.spec.containers`;
  return [
    ...when(!holdsText(template, VERSION), () =>
      warning(`${PATH}.template`, `no text holds ${VERSION}: all versions would be the same`),
    ),
    ...ofPort(containers, runtime.port),
    ...containers.flatMap((container, index) => ofContainer(container, `${path}[${index}]`, runtime)),
    ...when(!containers.some((container) => container['readinessProbe'] !== undefined), () =>
      warning(
        path,
        'none has a readinessProbe: a Pod counts as ready as soon as it runs, and gets requests that it cannot serve yet',
      ),
    ),
  ];
}

/** A port that no container names would leave the Service without endpoints. */
function ofPort(containers: readonly Mapping[], port: number | string): readonly Finding[] {
  const names = containers
    .flatMap(({ ports }) => mappingsOf(ports).map(({ name }) => textOf(name)))
    .filter((name) => name !== '');
  return when(typeof port === 'string' && !names.includes(port), () =>
    error(
      `${PATH}.port`,
      `no container has a port named "${port}" (${names.length === 0 ? 'none has a name' : names.join(', ')}): write its number, or name it in the template`,
    ),
  );
}

function ofContainer(
  container: Mapping,
  path: string,
  { autoscaling }: KubernetesRuntimeSpec,
): readonly Finding[] {
  const requests = mappingOf(mappingOf(container['resources'])?.['requests']);
  const { image } = container;
  return [
    ...(typeof image === 'string' ? ofImage(image, `${path}.image`) : []),
    ...when(requests === undefined, () =>
      warning(
        `${path}.resources`,
        'requests nothing: the scheduler puts it where there is no room for it, and it is the first to be thrown out',
      ),
    ),
    ...when(autoscaling !== undefined && requests?.['cpu'] === undefined, () =>
      warning(
        `${path}.resources`,
        'requests no cpu, so its use is a part of nothing: autoscaling stands still',
      ),
    ),
    ...mappingsOf(container['env']).flatMap((variable, index) =>
      ofVariable(variable, `${path}.env[${index}]`),
    ),
  ];
}

function ofVariable({ name, value }: Mapping, path: string): readonly Finding[] {
  const isSecret = typeof name === 'string' && typeof value === 'string' && looksSecret(name, value);
  return when(isSecret, () =>
    warning(
      `${path}.value`,
      `${textOf(name)} looks like a secret, and its value stands in the spec: write valueFrom with a secretKeyRef`,
    ),
  );
}

/** A tag that is moved makes two Pods of one version different. */
function ofImage(image: string, field: string): readonly Finding[] {
  const [, tag] = /:([^/:@]+)$/.exec(image.replace(/@.*$/, '')) ?? [];
  const isDigest = image.includes('@');
  return when(!isDigest && (tag === undefined || tag === 'latest'), () =>
    warning(field, `"${image}" can be another image tomorrow: write a tag that stays, such as ${VERSION}`),
  );
}

function ofCount({ replicas, autoscaling }: KubernetesRuntimeSpec): readonly Finding[] {
  const [field, fewest] =
    autoscaling === undefined ? ['replicas', replicas] : ['autoscaling.min', autoscaling.min];
  return when(fewest === 1, () =>
    warning(`${PATH}.${field}`, '1 Pod: when its node is drained, its version is away'),
  );
}

function ofMaxUnavailable({
  maxUnavailable,
  replicas,
  autoscaling,
}: KubernetesRuntimeSpec): readonly Finding[] {
  const fewest = autoscaling?.min ?? replicas;
  // A part is rounded up, as Kubernetes does.
  const away =
    typeof maxUnavailable === 'number'
      ? maxUnavailable
      : Math.ceil((fewest * Number.parseInt(maxUnavailable, 10)) / 100);
  const field = `${PATH}.maxUnavailable`;
  return [
    ...when(away === 0, () =>
      warning(field, `${maxUnavailable}: no node that has one of its Pods can ever be drained`),
    ),
    ...when(away >= fewest && fewest > 1, () =>
      warning(field, `${maxUnavailable} of ${fewest} Pods: all may be away at once when nodes are drained`),
    ),
  ];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
