// Kustomizations are put together as kustomize does it: what they say, and what is refused. test/kubernetes/manifests
// compares with kustomize itself.
import { describe, expect, test } from 'vitest';
import { renderFolder } from '../../../src/install/kustomization.ts';
import type { Manifest } from '../../../src/install/manifest.ts';

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  replicas: 1
  template: {spec: {containers: [{name: a, image: 'a:1'}, {name: b, image: 'b:1'}]}}
`;
const BINDING = `
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a}
subjects: [{kind: ServiceAccount, name: ours, namespace: x}, {kind: ServiceAccount, name: other, namespace: y}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ours}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: c}
`;

function rendered(files: Readonly<Record<string, string>>, folder = 'top'): readonly Manifest[] {
  return renderFolder(folder, (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`there is no file ${path}`);
    return text;
  });
}

const files = (top: string, more: Readonly<Record<string, string>> = {}) => ({
  'top/kustomization.yaml': top,
  'base/kustomization.yaml': 'resources: [deployment.yaml]',
  'base/deployment.yaml': DEPLOYMENT,
  'base/binding.yaml': BINDING,
  ...more,
});

const images = (manifests: readonly Manifest[]) =>
  manifests.flatMap(({ spec }) =>
    (spec as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers.map(
      ({ image }) => image,
    ),
  );

test('a namespace is given to all but what belongs to the cluster, and to service accounts of ours that are named', () => {
  const [deployment, binding, account, definition] = rendered(
    files('{namespace: n, resources: [../base, ../base/binding.yaml]}'),
  );
  expect(deployment?.metadata.namespace).toBe('n');
  expect(account?.metadata.namespace).toBe('n');
  expect(definition?.metadata.namespace).toBeUndefined();
  expect(binding).toMatchObject({
    metadata: { namespace: 'n' },
    subjects: [
      { name: 'ours', namespace: 'n' },
      { name: 'other', namespace: 'y' },
    ],
  });
});

test.each([
  ['{name: a, newName: c}', ['c:1', 'b:1']],
  ['{name: a, newTag: "2"}', ['a:2', 'b:1']],
  ['{name: a, newName: c/d, newTag: "2", digest: "sha256:0"}', ['c/d:2@sha256:0', 'b:1']],
  ['{name: a, digest: "sha256:0"}', ['a@sha256:0', 'b:1']],
  ['{name: other, newTag: "2"}', ['a:1', 'b:1']],
])('the image %s', (change, expected) => {
  expect(images(rendered(files(`{resources: [../base], images: [${change}]}`)))).toEqual(expected);
});

test('replicas are those of the Deployment that is named', () => {
  const [deployment] = rendered(
    files('{resources: [../base], replicas: [{name: a, count: 3}, {name: b, count: 9}]}'),
  );
  expect(deployment).toMatchObject({ spec: { replicas: 3 } });
});

test('a component adds to what is there, and changes it', () => {
  const [deployment, account] = rendered(
    files('{resources: [../base], components: [../more]}', {
      'more/kustomization.yaml': `
resources: [account.yaml]
patches:
  - target: {kind: Deployment, name: a}
    patch: '[{op: replace, path: /spec/replicas, value: 7}]'
`,
      'more/account.yaml': '{apiVersion: v1, kind: ServiceAccount, metadata: {name: s}}',
    }),
  );
  expect(deployment).toMatchObject({ spec: { replicas: 7 } });
  expect(account?.kind).toBe('ServiceAccount');
});

describe('refused is', () => {
  test.each([
    ['a field that is not known', '{namePrefix: x}', 'top/kustomization.yaml: namePrefix is not known here'],
    [
      'a patch of what is not there',
      '{resources: [../base], patches: [{target: {kind: Service, name: a}, patch: "[]"}]}',
      'top: there is no Service a to patch',
    ],
    ['YAML that cannot be read', '{resources: [', 'top/kustomization.yaml: '],
    [
      'an object without a name',
      '{resources: [bad.yaml]}',
      'top/bad.yaml: an object needs apiVersion, kind and',
    ],
  ])('%s', (_, top, message) => {
    expect(() => rendered(files(top, { 'top/bad.yaml': 'kind: A' }))).toThrow(message);
  });
});
