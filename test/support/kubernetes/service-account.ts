/** The API server as a service account sees it, and what it may do there. */
import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import type { TestNamespace } from './shared-cluster.ts';

/** A kubeconfig with a token of a service account of the test's namespace, as plain data. */
export async function kubeconfigAs(place: TestNamespace, name: string): Promise<object> {
  const { api, namespace, kubeconfig } = place;
  const { status } = await api.json<{ status: { token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const admin = parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly users: readonly { readonly name: string }[];
  };
  return { ...admin, users: admin.users.map((user) => ({ name: user.name, user: { token: status.token } })) };
}

/** Requests as that service account. */
export async function apiAs(place: TestNamespace, name: string): Promise<KubernetesApi> {
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify(await kubeconfigAs(place, name)));
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
