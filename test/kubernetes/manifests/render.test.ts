// One source, three ways: kustomize, Helm and `switchyard install` give the same objects for the same wishes.
import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runHere } from '../../support/admin/here.ts';
import {
  type Objects,
  objectsIn,
  outputOf,
  runTool,
  scratchFolder,
} from '../../support/kubernetes/manifest-tools.ts';

interface Wish {
  readonly overlay: 'production' | 'dev';
  readonly gateway: boolean;
  readonly monitoring: boolean;
  readonly admin: boolean;
  readonly replicas?: number;
  readonly image?: string;
}

const both = [true, false];
const wishes: readonly Wish[] = (['production', 'dev'] as const).flatMap((overlay) =>
  both.flatMap((gateway) =>
    both.flatMap((monitoring) =>
      both.map((admin) => ({
        overlay,
        gateway,
        monitoring,
        admin,
        ...(gateway && { replicas: 5 }),
        ...(admin && { image: 'registry.example:5000/team/switchyard:1.2.3' }),
      })),
    ),
  ),
);

/** What somebody would write who uses kustomize. */
async function byKustomize(wish: Wish): Promise<Objects> {
  const folder = scratchFolder();
  const path = (name: string) => relative(folder, resolve('manifests/kubernetes', name));
  const [newName, newTag] = wish.image === undefined ? [] : splitTag(wish.image);
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    namespace: 'shop',
    resources: [
      path(`overlays/${wish.overlay}`),
      ...(wish.gateway ? [path('gateway')] : []),
      ...(wish.monitoring ? [path('monitoring')] : []),
    ],
    ...(wish.admin && { components: [path('admin-in-cluster')] }),
    ...(wish.image && { images: [{ name: 'switchyard', newName, newTag }] }),
    ...(wish.replicas && { replicas: [{ name: 'switchyard-controller', count: wish.replicas }] }),
  };
  writeFileSync(join(folder, 'kustomization.yaml'), stringify(kustomization));
  return objectsIn(await outputOf('kustomize', 'build', folder));
}

async function byHelm(wish: Wish): Promise<Objects> {
  const [repository, tag] = wish.image === undefined ? [] : splitTag(wish.image);
  const values = join(scratchFolder(), 'values.yaml');
  writeFileSync(
    values,
    stringify({
      gateway: { enabled: wish.gateway },
      monitoring: { enabled: wish.monitoring },
      admin: { inCluster: wish.admin },
      ...(wish.image && { image: { repository, tag } }),
      ...(wish.replicas && { replicas: wish.replicas }),
    }),
  );
  const chart = 'manifests/helm/switchyard';
  const dev = wish.overlay === 'dev' ? ['--values', join(chart, 'values-dev.yaml')] : [];
  const args = ['template', 'any-name', chart, '--namespace', 'shop', ...dev, '--values', values];
  return objectsIn(await outputOf('helm', ...args));
}

async function byInstall(wish: Wish): Promise<Objects> {
  const { code, stdout, stderr } = await runHere([
    'install',
    '--without-crds',
    '--namespace',
    'shop',
    '--overlay',
    wish.overlay,
    ...(wish.gateway ? ['--with-gateway'] : []),
    ...(wish.monitoring ? ['--with-monitoring'] : []),
    ...(wish.admin ? ['--admin-in-cluster'] : []),
    ...(wish.image ? ['--image', wish.image] : []),
    ...(wish.replicas ? ['--replicas', String(wish.replicas)] : []),
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return objectsIn(stdout);
}

function splitTag(image: string): readonly [string, string] {
  const at = image.lastIndexOf(':');
  return [image.slice(0, at), image.slice(at + 1)];
}

test.each(wishes)('%j', async (wish) => {
  const kustomized = await byKustomize(wish);
  expect(Object.keys(kustomized).length).toBeGreaterThan(8);
  expect(await byInstall(wish)).toEqual(kustomized);
  expect(await byHelm(wish)).toEqual(kustomized);
});

test('the custom resources are the same from all three; Helm keeps them when its release goes', async () => {
  const kustomized = objectsIn(await outputOf('kustomize', 'build', 'manifests/kubernetes/crds'));
  const { stdout } = await runHere(['install', '--only-crds']);
  expect(objectsIn(stdout)).toEqual(kustomized);
  const helm = objectsIn(await outputOf('helm', 'template', 'crds', 'manifests/helm/switchyard-crds'));
  const kept = Object.fromEntries(
    Object.entries(kustomized).map(([name, object]) => [
      name,
      { ...object, metadata: { ...object.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } },
    ]),
  );
  expect(helm).toEqual(kept);
});

describe('the chart', () => {
  const chart = 'manifests/helm/switchyard';
  const rendered = async (...set: string[]): Promise<Objects> =>
    objectsIn(
      await outputOf(
        'helm',
        'template',
        'a',
        chart,
        '-n',
        'n',
        ...set.flatMap((each) => ['--set-json', each]),
      ),
    );

  test.each([chart, 'manifests/helm/switchyard-crds'])('%s is sound', async (path) => {
    expect(await runTool('helm', ['lint', '--strict', path])).toMatchObject({ code: 0 });
  });

  test('waits for the grace that its drain needs', async () => {
    const objects = await rendered('gateway={"enabled":true,"drainSeconds":3600}');
    expect(objects['Deployment/switchyard-gateway']).toMatchObject({
      spec: { template: { spec: { terminationGracePeriodSeconds: 3_630 } } },
    });
    expect(JSON.stringify(objects)).toContain('{"name":"DRAIN_SECONDS","value":"3600"}');
  });

  test('puts where Pods may run, and labels of a Prometheus, where they belong', async () => {
    const objects = await rendered(
      'gateway={"enabled":true,"concurrency":7}',
      'nodeSelector={"disk":"ssd"}',
      'tolerations=[{"key":"a","operator":"Exists"}]',
      'imagePullSecrets=[{"name":"registry"}]',
      'monitoring={"enabled":true,"labels":{"release":"prometheus"}}',
      'logLevel="debug"',
    );
    for (const name of ['Deployment/switchyard-controller', 'Deployment/switchyard-gateway']) {
      expect(objects[name]).toMatchObject({
        spec: {
          template: {
            spec: {
              nodeSelector: { disk: 'ssd' },
              tolerations: [{ key: 'a', operator: 'Exists' }],
              imagePullSecrets: [{ name: 'registry' }],
            },
          },
        },
      });
    }
    for (const [name, { metadata }] of Object.entries(objects)) {
      if (!/^(PodMonitor|PrometheusRule)/.test(name)) continue;
      expect(metadata.labels).toMatchObject({
        release: 'prometheus',
        'app.kubernetes.io/name': 'switchyard',
      });
    }
    expect(JSON.stringify(objects['Deployment/switchyard-controller'])).toContain('"--log-level=debug"');
    expect(JSON.stringify(objects['Deployment/switchyard-gateway'])).toContain('"--concurrency","7"');
  });

  test('leaves the policies out where nobody enforces them, and says so', async () => {
    const objects = await rendered('networkPolicy={"enabled":false}', 'admin={"inCluster":true}');
    expect(Object.keys(objects).filter((name) => name.startsWith('NetworkPolicy'))).toEqual([]);
    const notes = await outputOf(
      'helm',
      'install',
      'a',
      chart,
      '--namespace',
      'n',
      '--dry-run=client',
      '--set',
      'networkPolicy.enabled=false',
    );
    expect(notes).toContain('No NetworkPolicy guards the controller');
    expect(notes).toContain('switchyard-xds.n.svc:18000');
  });

  test.each([
    ['a value that is not known', 'replica=3', /additional properties 'replica' not allowed/],
    ['a number as text', 'replicas="three"', /replicas.*got string, want integer/s],
    ['a word that is none', 'logLevel="loud"', /logLevel.*must be one of/s],
    ['a misspelt part of a group', 'gateway={"enable":true}', /gateway.*'enable' not allowed/s],
    ['a drain of no time', 'gateway={"drainSeconds":0}', /drainSeconds.*minimum/s],
  ])('refuses %s', async (_, set, message) => {
    const { code, stderr } = await runTool('helm', ['template', 'a', chart, '--set-json', set]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
