/** The kubernetes runtime: a faultless message of the proto in, the model out. */
import * as config from '../gen/switchyard/config/v1/kubernetes_pb.js';
import type { GatewayApiSpec, KubernetesRuntimeSpec, ParentRef, PodSource } from '../model/kubernetes.ts';
import { given } from './given.ts';
import { countOrText } from './leaf.ts';

const GATEWAY_API_MODES = {
  [config.GatewayApiMode.UNSPECIFIED]: undefined,
  [config.GatewayApiMode.BESIDES]: 'Besides',
  [config.GatewayApiMode.INSTEAD]: 'Instead',
} as const satisfies Record<config.GatewayApiMode, GatewayApiSpec['mode'] | undefined>;

const PARENT_KINDS = {
  [config.ParentKind.UNSPECIFIED]: undefined,
  [config.ParentKind.GATEWAY]: 'Gateway',
  [config.ParentKind.SERVICE]: 'Service',
} as const satisfies Record<config.ParentKind, ParentRef['kind'] | undefined>;

export function toKubernetes(runtime: config.KubernetesRuntime): KubernetesRuntimeSpec {
  const { pods, port, replicas, autoscaling, maxUnavailable, primaryService, gatewayApi } = runtime;
  return {
    kind: 'kubernetes',
    pods: toPodSource(pods),
    port: countOrText(port),
    replicas,
    ...(autoscaling && {
      autoscaling: { min: autoscaling.min, max: autoscaling.max, cpuPercent: autoscaling.cpuPercent },
    }),
    maxUnavailable: countOrText(maxUnavailable),
    ...(primaryService !== undefined && { primaryService }),
    ...(gatewayApi !== undefined && { gatewayApi: toGatewayApi(gatewayApi) }),
  };
}

function toGatewayApi({ parentRefs, hostnames, mode }: config.GatewayApi): GatewayApiSpec {
  return {
    parentRefs: parentRefs.map(({ kind, name, namespace, sectionName }) => ({
      kind: given(PARENT_KINDS[kind]),
      name,
      ...(namespace !== undefined && { namespace }),
      ...(sectionName !== undefined && { sectionName }),
    })),
    hostnames: [...hostnames],
    mode: given(GATEWAY_API_MODES[mode]),
  };
}

function toPodSource(pods: config.KubernetesRuntime['pods']): PodSource {
  switch (pods.case) {
    case 'deployment':
      return { kind: 'deployment', name: pods.value.name, images: { ...pods.value.images } };
    case 'template':
      return { kind: 'template', template: pods.value };
    case undefined:
      return given<PodSource>(undefined);
  }
}
