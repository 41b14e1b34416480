/**
 * The control plane that all files of the project `kubernetes` share: started once for a run. Each test has a namespace of
 * its own in it.
 */
import { inject, onTestFinished } from 'vitest';
import type { TestProject } from 'vitest/node';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { NAMESPACE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { notRun } from '../not-run.ts';
import { clientConfig } from './client-config.ts';
import { startCluster } from './cluster.ts';

/** What the tests' processes are told of it. */
export type Shared =
  | { readonly kind: 'running'; readonly kubeconfig: string }
  | { readonly kind: 'missing'; readonly why: string };

declare module 'vitest' {
  export interface ProvidedContext {
    readonly cluster: Shared;
  }
}

/** Runs before all files; the function that it returns runs after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await startCluster();
  if ('missing' in cluster) {
    project.provide('cluster', { kind: 'missing', why: cluster.missing });
    return async () => undefined;
  }
  project.provide('cluster', { kind: 'running', kubeconfig: cluster.kubeconfig });
  return () => cluster.stop();
}

export interface TestNamespace {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly kubeconfig: string;
}

let made = 0;

/** A new namespace; where there is no cluster, the running test ends as not run. */
export async function testNamespace(): Promise<TestNamespace> {
  const shared = inject('cluster');
  if (shared.kind === 'missing') return notRun('tests with a real Kubernetes API server', shared.why);
  const api = new KubernetesApi(clientConfig(shared.kubeconfig));
  made += 1;
  const namespace = `test-${process.pid}-${made}`;
  await api.create(NAMESPACE, {}, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  onTestFinished(async () => {
    await api.delete(NAMESPACE, { name: namespace });
  });
  return { api, namespace, kubeconfig: shared.kubeconfig };
}
