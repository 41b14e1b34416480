/** The parts of a Pod that the test kubelet looks at, as the API server has them. */
import type { KubernetesObject } from '../../../../src/adapters/kubernetes/client/objects.ts';

export interface Pod extends KubernetesObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly terminationGracePeriodSeconds?: number;
    readonly containers: readonly Container[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

export interface Container {
  readonly name: string;
  /** There are no images here: what is run is the command. */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop?: Hook };
}

export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly configMapKeyRef?: KeyReference;
    readonly secretKeyRef?: KeyReference;
  };
}

interface KeyReference {
  readonly name: string;
  readonly key: string;
  readonly optional?: boolean;
}

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number };
  readonly tcpSocket?: { readonly port: number };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

export interface Hook {
  readonly sleep?: { readonly seconds: number };
  readonly httpGet?: { readonly path?: string; readonly port: number };
  readonly exec?: { readonly command: readonly string[] };
}

/** A field of the Pod by its path, as `fieldRef` has it. Throws Error for a path that nobody needed yet. */
export function fieldOf(pod: Pod, path: string, address: string): string {
  const [, annotation] = /^metadata\.annotations\['(.*)'\]$/.exec(path) ?? [];
  const [, label] = /^metadata\.labels\['(.*)'\]$/.exec(path) ?? [];
  if (annotation !== undefined) return pod.metadata.annotations?.[annotation] ?? '';
  if (label !== undefined) return pod.metadata.labels?.[label] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'spec.nodeName':
      return pod.spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.podIP':
      return address;
    default:
      throw new Error(`the test kubelet knows no field ${path}`);
  }
}
