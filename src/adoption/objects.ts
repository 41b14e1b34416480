/** The objects of Kubernetes that an adoption looks at, as far as it looks. Others made them. */

import type { KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import type { Deployment as AnyDeployment } from '../adapters/kubernetes/runtime/objects.ts';
import type { Json } from '../model/json.ts';
import type { Selector } from './selectors.ts';

export interface Deployment extends AnyDeployment {
  readonly spec: AnyDeployment['spec'] & {
    readonly selector: Selector;
    readonly strategy?: { readonly type?: string };
  };
  readonly status?: AnyDeployment['status'] & {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
  };
}

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  /** The container's; absent: the same. */
  readonly targetPort?: number | string;
  /** Absent: TCP. */
  readonly protocol?: string;
  readonly appProtocol?: string;
}

export interface Service extends KubernetesObject {
  readonly spec: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly sessionAffinity?: string;
    readonly ports?: readonly ServicePort[];
  };
}

export interface Pod extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface Backend {
  readonly service?: {
    readonly name: string;
    readonly port?: { readonly name?: string; readonly number?: number };
  };
}

export interface Ingress extends KubernetesObject {
  readonly spec?: {
    readonly defaultBackend?: Backend;
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: { readonly paths?: readonly { readonly backend: Backend }[] };
    }[];
  };
}

export interface Autoscaler extends KubernetesObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics?: readonly Json[];
  };
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

export interface NetworkPolicy extends KubernetesObject {
  readonly spec?: {
    readonly podSelector?: Selector;
    readonly ingress?: readonly { readonly from?: readonly Peer[] }[];
    readonly egress?: readonly { readonly to?: readonly Peer[] }[];
  };
}

export interface EndpointSlice extends KubernetesObject {
  readonly endpoints?:
    | readonly {
        /** An absent `ready` is true; so says the API. */
        readonly conditions?: { readonly ready?: boolean | null };
        readonly targetRef?: { readonly kind?: string; readonly name?: string };
      }[]
    | null;
}
