// `install` prints what kubectl can apply, with what was asked for in it, and needs nothing but the package.
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { runHere } from '../../support/admin/here.ts';

interface Shown {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: { readonly replicas?: number };
}

async function installed(...flags: string[]): Promise<readonly Shown[]> {
  const { code, stdout, stderr } = await runHere(['install', ...flags]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return (parseAllDocuments(stdout) as unknown as { toJS(): Shown }[]).map((document) => document.toJS());
}

const names = (objects: readonly Shown[]): readonly string[] =>
  objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
const controller = (objects: readonly Shown[]): Shown | undefined =>
  objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'switchyard-controller');

test('the custom resources come first, and then three replicas with all that they need', async () => {
  const objects = await installed();
  expect(objects[0]?.kind).toBe('CustomResourceDefinition');
  expect(controller(objects)?.spec?.replicas).toBe(3);
  expect(names(objects)).toEqual(
    expect.arrayContaining([
      'ServiceAccount/switchyard-controller',
      'Role/switchyard-controller',
      'RoleBinding/switchyard-controller',
      'Service/switchyard-xds',
      'PodDisruptionBudget/switchyard-controller',
    ]),
  );
  expect(names(objects)).not.toContain('Deployment/switchyard-gateway');
});

test('everything is in the namespace that was asked for', async () => {
  const objects = await installed(
    '--namespace',
    'shop',
    '--create-namespace',
    '--with-gateway',
    '--with-monitoring',
  );
  expect(names(objects)[0]).toBe('Namespace/shop');
  const elsewhere = objects
    .filter(({ kind }) => kind !== 'Namespace' && kind !== 'CustomResourceDefinition')
    .filter(({ metadata }) => metadata.namespace !== 'shop');
  expect(elsewhere).toEqual([]);
  expect(JSON.stringify(objects)).not.toContain('"namespace":"switchyard"');
});

test.each(['on', 'no', 'y', '1e3', '0x1f', '0o17', '007'])(
  'a namespace that is called %s is a text for readers of YAML 1.1 and 1.2',
  async (namespace) => {
    const { stdout } = await runHere(['install', '--namespace', namespace, '--without-crds']);
    for (const version of ['1.1', '1.2'] as const) {
      const objects = parseAllDocuments(stdout, { version }) as unknown as { toJS(): Shown }[];
      expect(new Set(objects.map((document) => document.toJS().metadata.namespace))).toEqual(
        new Set([namespace]),
      );
    }
  },
);

test('image, replicas and overlay are as asked', async () => {
  const objects = await installed(
    '--overlay',
    'dev',
    '--replicas',
    '2',
    '--image',
    'registry.example:5000/a:1',
  );
  expect(controller(objects)).toMatchObject({
    spec: { replicas: 2, template: { spec: { containers: [{ image: 'registry.example:5000/a:1' }] } } },
  });
  expect(names(objects)).not.toContain('PodDisruptionBudget/switchyard-controller');
});

test('an image without a tag is that of this release, from elsewhere', async () => {
  const objects = await installed('--image', 'registry.example/switchyard');
  expect(JSON.stringify(controller(objects))).toMatch(/"registry\.example\/switchyard:\d+\.\d+\.\d+"/);
});

test('the admin API listens on loopback, unless it is asked for in the cluster', async () => {
  expect(JSON.stringify(controller(await installed()))).toContain('--admin-address=127.0.0.1:18001');
  const open = await installed('--admin-in-cluster');
  expect(JSON.stringify(controller(open))).toContain('--admin-address=0.0.0.0:18001');
  expect(names(open)).toContain('NetworkPolicy/switchyard-admin');
});

describe('the custom resources, which belong to the whole cluster,', () => {
  test('can be had alone', async () => {
    const kinds = new Set((await installed('--only-crds')).map(({ kind }) => kind));
    expect([...kinds]).toEqual(['CustomResourceDefinition']);
  });

  test('can be left out', async () => {
    expect(JSON.stringify(await installed('--without-crds'))).not.toContain('CustomResourceDefinition');
  });
});

test('as JSON it is one list, and as names a line each', async () => {
  const { stdout } = await runHere(['install', '--without-crds', '-o', 'json']);
  expect(JSON.parse(stdout)).toMatchObject({ apiVersion: 'v1', kind: 'List' });
  const { stdout: lines } = await runHere(['install', '--without-crds', '-o', 'name']);
  expect(lines.split('\n')[0]).toBe('serviceaccount/switchyard-controller');
});

test.each([
  [['--namespace', 'Shop'], /--namespace: "Shop" is no name of a namespace/],
  [['--image', 'a b'], /--image: "a b" is no image/],
  [['--replicas', '10'], /whole number from 0 to 9/],
  [['--overlay', 'staging'], /Allowed choices are production, dev/],
  [['--only-crds', '--without-crds'], /cannot be used with option/],
])('%j is refused as wrong usage', async (flags, message) => {
  const { code, stderr } = await runHere(['install', ...flags]);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
