/** An installation for one test; its logs are shown where the test fails. */
import { onTestFinished } from 'vitest';
import { KubernetesApi } from '../../../../src/adapters/kubernetes/client/api.ts';
import { NAMESPACE } from '../../../../src/adapters/kubernetes/client/kinds.ts';
import { notRun } from '../../not-run.ts';
import { clientConfig } from '../client-config.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { type TestNamespace, testNamespace } from '../shared-cluster.ts';
import { Installation, type InstallationOptions } from './installation.ts';

/** Starts it, in a namespace of the shared cluster where none is given; without a cluster the running test ends as not run. */
export async function useInstallation(
  options: InstallationOptions & { readonly place?: TestNamespace } = {},
): Promise<Installation> {
  const place = options.place ?? (await testNamespace());
  const installation = await Installation.start(place, options);
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(installation.replicas.logs());
    await installation.stop();
  });
  return installation;
}

/** A namespace of a control plane that is this test's own, to be taken away and brought back. */
export async function ownPlace(): Promise<{ readonly place: TestNamespace; readonly cluster: Cluster }> {
  // Nodes cannot be heard of while the API server is away: that alone must not make their Pods unready.
  const cluster = await startCluster({ nodeGrace: 40 });
  if ('missing' in cluster) return notRun('tests with a real Kubernetes API server', cluster.missing);
  onTestFinished(() => cluster.stop());
  const { kubeconfig } = cluster;
  const api = new KubernetesApi(clientConfig(kubeconfig));
  const namespace = 'shop';
  await api.create(NAMESPACE, {}, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return { place: { api, namespace, kubeconfig }, cluster };
}
