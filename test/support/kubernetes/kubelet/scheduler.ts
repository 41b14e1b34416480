/** Gives each Pod without a node the one that has the fewest, as far as tests need a scheduler. */
import { systemClock } from '../../../../src/adapters/clock.ts';
import type { KubernetesApi } from '../../../../src/adapters/kubernetes/client/api.ts';
import { POD } from '../../../../src/adapters/kubernetes/client/kinds.ts';
import { pathOf } from '../../../../src/adapters/kubernetes/client/objects.ts';
import { Reflector, sourceOf } from '../../../../src/adapters/kubernetes/client/reflector.ts';
import type { Pod } from './pod.ts';

export interface TestScheduler {
  stop(): Promise<void>;
}

/** `nodes`: names of those that take Pods now. */
export async function startScheduler(options: {
  readonly api: KubernetesApi;
  readonly nodes: () => readonly string[];
}): Promise<TestScheduler> {
  const { api, nodes } = options;
  /** Bound by us, and perhaps not seen bound yet. */
  const bound = new Map<string, string>();
  const pods = new Reflector<Pod>({
    source: sourceOf<Pod>(api, { kind: POD }),
    clock: systemClock,
    random: Math.random,
    onChange: (keys) => {
      for (const key of keys) {
        const pod = pods.objects.get(key);
        if (pod === undefined) bound.delete(key);
        else if (pod.spec.nodeName === undefined && pod.metadata.deletionTimestamp === undefined)
          void bind(key, pod);
      }
    },
  });
  const countOf = (node: string): number => [...bound.values()].filter((one) => one === node).length;
  async function bind(key: string, { metadata }: Pod): Promise<void> {
    const [node] = nodes().toSorted((one, other) => countOf(one) - countOf(other));
    if (node === undefined || bound.has(key)) return;
    bound.set(key, node);
    const { namespace = '', name } = metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target };
    await api
      .json({ method: 'POST', path: pathOf(POD, { namespace, name, subresource: 'binding' }), body })
      .catch(() => bound.delete(key));
  }
  await pods.start();
  return { stop: () => pods.stop() };
}
