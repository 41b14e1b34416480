/** Rules between the fields of the kubernetes runtime. What the Pods themselves must be is the API server's to say. */
import * as config from '../gen/switchyard/config/v1/kubernetes_pb.js';
import { faultIf, type MessageFault, type MessageRule, rule } from './message-rule.ts';
import { containersOf } from './pod-template.ts';
import { didYouMean } from './suggest.ts';

export const KUBERNETES_MESSAGE_RULES: readonly MessageRule[] = [
  rule(config.AutoscalingSchema, ['min', 'max'], ({ min, max }) =>
    faultIf(min > max, 'max', () => `${max} must not be below min, ${min}`),
  ),
  rule(config.KubernetesRuntimeSchema, ['template'], onlyWhatAPodTemplateHas),
  rule(config.KubernetesRuntimeSchema, ['template'], containersHaveNames),
];

/** What else stood there would be left out, and nobody would be told. */
function onlyWhatAPodTemplateHas({ pods }: config.KubernetesRuntime): readonly MessageFault[] {
  if (pods.case !== 'template') return [];
  const known = ['metadata', 'spec'];
  return Object.keys(pods.value)
    .filter((key) => !known.includes(key))
    .map((key) => ({
      field: `template.${key}`,
      message: `is an unknown field${didYouMean(key, known) || `; known here: ${known.join(', ')}`}`,
    }));
}

function containersHaveNames({ pods }: config.KubernetesRuntime): readonly MessageFault[] {
  if (pods.case !== 'template') return [];
  const field = 'template.spec.containers';
  const containers = containersOf(pods.value);
  if (containers === undefined || containers.length === 0)
    return [
      { field, message: 'is required: write the containers of a Pod, such as [{name: manager, image: ...}]' },
    ];
  return containers.flatMap(({ name }, index) =>
    faultIf(typeof name !== 'string', `${field}[${index}]`, () => 'needs a name, which is text'),
  );
}
