/** The kubernetes runtime: a faultless message of the proto in, the model out. */
import type * as config from '../gen/switchyard/config/v1/kubernetes_pb.js';
import type { KubernetesRuntimeSpec, PodSource } from '../model/kubernetes.ts';
import { given } from './given.ts';
import { countOrText } from './leaf.ts';

export function toKubernetes(runtime: config.KubernetesRuntime): KubernetesRuntimeSpec {
  const { pods, port, replicas, autoscaling, maxUnavailable, primaryService } = runtime;
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
