/** What the fields of the kubernetes runtime must be. */
import { CHOICE, type FieldRules } from './field-rule.ts';
import {
  containerImage,
  containerName,
  containerPort,
  gatewayHostname,
  kubernetesLabel,
  kubernetesName,
  kubernetesService,
  percent,
} from './kubernetes-formats.ts';

const PODS: readonly [number, number] = [1, 1_000];

export const KUBERNETES_RULES: FieldRules = {
  'KubernetesRuntime.deployment': CHOICE,
  'KubernetesRuntime.template': CHOICE,
  'KubernetesRuntime.port': {
    required: 'write the port of the container that requests go to, such as 8080 or http',
    range: [1, 65_535],
    text: containerPort,
  },
  'KubernetesRuntime.replicas': { default: '2', range: PODS },
  'KubernetesRuntime.autoscaling': {},
  'KubernetesRuntime.maxUnavailable': { default: '1', range: [0, 1_000], text: percent },
  'KubernetesRuntime.primaryService': { text: kubernetesService },
  'KubernetesRuntime.gatewayApi': {},
  'GatewayApi.parentRefs': { required: 'write the Gateways, such as [{name: main}]', size: [1, 8] },
  'GatewayApi.hostnames': { size: [0, 16], text: gatewayHostname, unique: 'value' },
  'GatewayApi.mode': { default: 'Besides' },
  'ParentRef.kind': { default: 'Gateway' },
  'ParentRef.name': { required: 'write the name of the Gateway', text: kubernetesName },
  'ParentRef.namespace': { text: kubernetesLabel },
  'ParentRef.sectionName': { text: kubernetesName },
  'ExistingDeployment.name': { required: 'write the name of the Deployment', text: kubernetesName },
  'ExistingDeployment.images': {
    required:
      'write which image each container gets, such as {manager: "registry.example.com/manager:${version}"}',
    size: [1, 20],
    keys: containerName,
    text: containerImage,
  },
  'Autoscaling.min': { default: '2', range: PODS },
  'Autoscaling.max': { required: 'write how many Pods a version has at most', range: PODS },
  'Autoscaling.cpuPercent': { default: '80', range: [1, 100] },
};
