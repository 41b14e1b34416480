// A real API server takes what we install, by kubectl and by Helm, and makes the Pods although its namespace takes restricted
// ones only. Objects of the Prometheus Operator are left out: nothing here serves their kinds.
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEPLOYMENT, NAMESPACE, POD } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { eventually } from '../../support/eventually.ts';
import { applyInstallation } from '../../support/kubernetes/installed.ts';
import { outputOf, scratchFolder } from '../../support/kubernetes/manifest-tools.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';

/** Makes the namespace refuse Pods that the restricted profile does not allow. */
async function restrict({ api, namespace }: TestNamespace): Promise<void> {
  await api.json({
    method: 'PATCH',
    path: pathOf(NAMESPACE, { name: namespace }),
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
  });
}

/** How many Pods of each component there are. */
async function podsOf({ api, namespace }: TestNamespace): Promise<Readonly<Record<string, number>>> {
  const { items } = await api.json<{ items: KubernetesObject[] }>({
    method: 'GET',
    path: pathOf(POD, { namespace }),
  });
  const components = items.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] ?? '');
  return Object.fromEntries(
    Object.entries(Object.groupBy(components, (each) => each)).map(([name, all]) => [name, all?.length ?? 0]),
  );
}

describe('kubectl apply of `switchyard install`', () => {
  test.each([
    ['production', ['--with-gateway', '--admin-in-cluster']],
    ['dev', ['--overlay', 'dev']],
  ])('%s would be taken, by the strictest reading', async (_, flags) => {
    const place = await testNamespace();
    expect(await applyInstallation(place, { flags, dryRun: true })).toContain(
      'deployment.apps/switchyard-controller serverside-applied (server dry run)',
    );
  });

  test('makes the Pods, in a namespace that takes restricted ones only', async () => {
    const place = await testNamespace();
    await restrict(place);
    await applyInstallation(place, { flags: ['--with-gateway'] });
    await eventually(
      async () => (await podsOf(place))['controller'] === 3 && (await podsOf(place))['gateway'] === 2,
    );
    // The same again changes nothing.
    const path = `/apis/rbac.authorization.k8s.io/v1/namespaces/${place.namespace}/roles/switchyard-controller`;
    const role = (): Promise<KubernetesObject> => place.api.json({ method: 'GET', path });
    const { resourceVersion } = (await role()).metadata;
    await applyInstallation(place, { flags: ['--with-gateway'] });
    expect((await role()).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('takes the example of a sidecar too', async () => {
    const place = await testNamespace();
    const { kubeconfig, namespace } = place;
    await restrict(place);
    const built = join(scratchFolder(), 'sidecar.yaml');
    writeFileSync(built, await outputOf('kustomize', 'build', 'manifests/kubernetes/examples'));
    const where = ['--kubeconfig', kubeconfig, '-n', namespace];
    const told = await outputOf('kubectl', 'apply', ...where, '--validate=strict', '-f', built);
    expect(told).toContain('deployment.apps/client created');
    // It is made of the client, without our label.
    await eventually(async () => (await podsOf(place))[''] === 1);
  });
});

test('kubectl reads our examples as we do', async () => {
  const place = await testNamespace();
  const { api, kubeconfig, namespace } = place;
  await applyInstallation(place, { flags: ['--only-crds'] });
  const where = ['--kubeconfig', kubeconfig, '-n', namespace];
  await outputOf(
    'kubectl',
    'apply',
    ...where,
    '--validate=strict',
    '-f',
    'examples/specs/manager-verified.yaml',
  );
  const path = `/apis/switchyard.dev/v1alpha1/namespaces/${namespace}/versionedservices/manager`;
  expect(await api.json({ method: 'GET', path })).toMatchObject({
    spec: { notifications: [{ events: ['RolloutAborted', 'RolloutRolledBack'] }] },
  });
});

describe('Helm', () => {
  const helm = ({ kubeconfig, namespace }: TestNamespace, ...args: string[]): Promise<string> =>
    outputOf('helm', ...args, '--kubeconfig', kubeconfig, '--namespace', namespace);

  test('installs, upgrades to a small one, and takes all away again', async () => {
    const place = await testNamespace();
    const chart = copied('switchyard');
    await helm(place, 'install', 'switchyard', chart, '--set', 'gateway.enabled=true');
    await eventually(
      async () => (await podsOf(place))['controller'] === 3 && (await podsOf(place))['gateway'] === 2,
    );
    await helm(
      place,
      'upgrade',
      'switchyard',
      chart,
      '--values',
      join(chart, 'values-dev.yaml'),
      '--reset-values',
    );
    // Nothing here makes Pods ready, so the old ones are not waited for.
    await eventually(async () => (await podsOf(place))['gateway'] === undefined);
    const at = { namespace: place.namespace, name: 'switchyard-controller' };
    expect(await place.api.get(DEPLOYMENT, at)).toMatchObject({ spec: { replicas: 1 } });
    await helm(place, 'uninstall', 'switchyard');
    await eventually(async () => Object.keys(await podsOf(place)).length === 0);
  });

  test('brings custom resources up to date, and leaves them when the release goes', async () => {
    const place = await testNamespace();
    const { chart, definition } = chartOfOwnGroup();
    const described = async (): Promise<string> =>
      JSON.stringify(
        await place.api.json({
          method: 'GET',
          path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition}`,
        }),
      );
    const file = globSync(join(chart, 'templates/*_versionedservices.yaml'))[0] ?? '';
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('name: Primary', 'name: Former'));
    await helm(place, 'install', 'crds', chart);
    expect(await described()).toContain('"Former"');
    writeFileSync(file, text);
    await helm(place, 'upgrade', 'crds', chart);
    expect(await described()).not.toContain('"Former"');
    await helm(place, 'uninstall', 'crds');
    expect(await described()).toContain('"Primary"');
  });

  /** A chart without the version that it asks for: the API server of the tests is built without one. */
  function copied(name: string): string {
    const chart = join(scratchFolder(), name);
    cpSync(join('manifests/helm', name), chart, { recursive: true });
    const file = join(chart, 'Chart.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^kubeVersion: .*\n/m, ''));
    return chart;
  }

  /** The chart of the custom resources with another group: the group of ours is in use by all tests. */
  function chartOfOwnGroup(): { readonly chart: string; readonly definition: string } {
    const chart = copied('switchyard-crds');
    const group = `helm-${process.pid}.example`;
    for (const file of globSync(join(chart, 'templates/*.yaml'))) {
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('switchyard.dev', group));
    }
    return { chart, definition: `versionedservices.${group}` };
  }
});
