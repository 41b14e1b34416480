/** The kubernetes runtime: a model in, its message of the proto out. */
import { create, type JsonObject } from '@bufbuild/protobuf';
import { type Value, ValueSchema } from '@bufbuild/protobuf/wkt';
import type * as config from '../gen/switchyard/config/v1/kubernetes_pb.js';
import type { KubernetesRuntimeSpec, PodSource } from '../model/kubernetes.ts';
import type { Init } from './from-model-verification.ts';

export function fromKubernetes(runtime: KubernetesRuntimeSpec): Init<typeof config.KubernetesRuntimeSchema> {
  const { pods, port, replicas, autoscaling, maxUnavailable, primaryService } = runtime;
  return {
    pods: fromPodSource(pods),
    port: fromCountOrText(port),
    replicas,
    ...(autoscaling && { autoscaling }),
    maxUnavailable: fromCountOrText(maxUnavailable),
    ...(primaryService !== undefined && { primaryService }),
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
