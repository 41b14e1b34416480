/** The kubernetes runtime: a model in, its message of the proto out. */
import { create, type JsonObject } from '@bufbuild/protobuf';
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import * as config from '../gen/switchyard/config/v1/kubernetes_pb.js';
import type { GatewayApiSpec, KubernetesRuntimeSpec, ParentRef, PodSource } from '../model/kubernetes.ts';
import type { Init } from './from-model-verification.ts';

export function fromKubernetes(runtime: KubernetesRuntimeSpec): Init<typeof config.KubernetesRuntimeSchema> {
  const { pods, port, replicas, autoscaling, maxUnavailable, primaryService, gatewayApi } = runtime;
  return {
    pods: fromPodSource(pods),
    port: fromCountOrText(port),
    replicas,
    ...(autoscaling && { autoscaling }),
    maxUnavailable: fromCountOrText(maxUnavailable),
    ...(primaryService !== undefined && { primaryService }),
    ...(gatewayApi !== undefined && { gatewayApi: fromGatewayApi(gatewayApi) }),
  };
}

const GATEWAY_API_MODES = {
  Besides: config.GatewayApiMode.BESIDES,
  Instead: config.GatewayApiMode.INSTEAD,
} as const satisfies Record<GatewayApiSpec['mode'], config.GatewayApiMode>;

const PARENT_KINDS = {
  Gateway: config.ParentKind.GATEWAY,
  Service: config.ParentKind.SERVICE,
} as const satisfies Record<ParentRef['kind'], config.ParentKind>;

function fromGatewayApi({
  parentRefs,
  hostnames,
  mode,
}: GatewayApiSpec): Init<typeof config.GatewayApiSchema> {
  return {
    parentRefs: parentRefs.map((parent) => ({ ...parent, kind: PARENT_KINDS[parent.kind] })),
    hostnames: [...hostnames],
    mode: GATEWAY_API_MODES[mode],
  };
}

function fromPodSource(pods: PodSource): NonNullable<Init<typeof config.KubernetesRuntimeSchema>['pods']> {
  switch (pods.kind) {
    case 'deployment':
      return { case: 'deployment', value: { name: pods.name, images: { ...pods.images } } };
    case 'template':
      return { case: 'template', value: pods.template as JsonObject };
  }
}

function fromCountOrText(value: number | string): Value {
  const kind =
    typeof value === 'number'
      ? { case: 'numberValue' as const, value }
      : { case: 'stringValue' as const, value };
  return create(ValueSchema, { kind });
}
