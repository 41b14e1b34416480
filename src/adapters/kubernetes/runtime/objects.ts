/** The objects of Kubernetes that the runtime looks at, as far as it looks. */
import type { Json } from '../../../model/json.ts';
import type { KubernetesObject } from '../client/objects.ts';

/** A mapping of JSON. */
export type Mapping = { readonly [name: string]: Json };

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: {
      readonly matchLabels?: Readonly<Record<string, string>>;
      readonly matchExpressions?: readonly { readonly key: string }[];
    };
    readonly template: Mapping;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface Service extends KubernetesObject {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly name?: string;
      readonly port: number;
      /** The container's; absent: the same. */
      readonly targetPort?: number | string;
    }[];
  };
}

export interface Autoscaler extends KubernetesObject {
  readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } };
}

/** What a version was made of; Kubernetes lets nobody change it. */
export interface Revision extends KubernetesObject {
  readonly data?: Mapping;
}

/** A ConfigMap or a Secret. */
export interface Configuration extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
  /** Of a Secret. */
  readonly type?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: Terminated;
  };
  readonly lastState?: { readonly terminated?: Terminated };
}

interface Terminated {
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
}

export interface Pod extends KubernetesObject {
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export interface EndpointSlice extends KubernetesObject {
  readonly addressType: string;
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly { readonly name?: string | null; readonly port?: number | null }[] | null;
}

export interface Endpoint {
  /** They all lead to one Pod; the first is as good as the others. */
  readonly addresses: readonly string[];
  /** An absent `ready` is true; so says the API. */
  readonly conditions?: {
    readonly ready?: boolean | null;
    readonly terminating?: boolean | null;
  };
  readonly targetRef?: { readonly kind?: string; readonly name?: string; readonly uid?: string };
  /** Of the node that it is on. */
  readonly zone?: string | null;
}
