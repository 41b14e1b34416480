/** The API server as a service account sees it, and what it may do there. */
import { KubeConfig } from '@kubernetes/client-node';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import type { TestNamespace } from './shared-cluster.ts';

/** Requests with a token of a service account of the test's namespace. */
export async function apiAs(
  { api, namespace, kubeconfig }: TestNamespace,
  name: string,
): Promise<KubernetesApi> {
  const { status } = await api.json<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const admin = new KubeConfig();
  admin.loadFromFile(kubeconfig);
  const cluster = admin.getCurrentCluster();
  if (cluster === null) throw new Error(`${kubeconfig} names no cluster`);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(cluster, { name, token: status.token });
  return new KubernetesApi(config);
}

export interface Deed {
  readonly namespace: string;
  readonly group: string;
  /** With its subresource: `deployments/scale`. */
  readonly resource: string;
  readonly verb: string;
  readonly name?: string;
}

/** Whether the account may do it, as the API server decides. */
export async function mayDo(
  { api, namespace }: TestNamespace,
  account: string,
  deed: Deed,
): Promise<boolean> {
  const [resource, subresource] = deed.resource.split('/');
  const { status } = await api.json<{ status: { allowed: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${namespace}:${account}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes: { ...deed, resource, subresource },
      },
    },
  });
  return status.allowed;
}
