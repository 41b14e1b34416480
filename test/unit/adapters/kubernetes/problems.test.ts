// What is wrong with a service that no instance shows.
import { describe, expect, test } from 'vitest';
import { labelsOf } from '../../../../src/adapters/kubernetes/labels.ts';
import { objectName } from '../../../../src/adapters/kubernetes/names.ts';
import type { Deployment, Pod, Service } from '../../../../src/adapters/kubernetes/runtime/objects.ts';
import { problemsOf, type Surroundings } from '../../../../src/adapters/kubernetes/runtime/problems.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';

const SERVICE = serviceName('manager');
const V1 = versionName('v1');
const NAME = objectName(SERVICE, V1);

function deployment(status: Deployment['status'] = {}): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: NAME, labels: labelsOf(SERVICE, V1) },
    spec: {
      selector: {},
      template: { metadata: { labels: { app: 'manager', ...labelsOf(SERVICE, V1) } } },
    },
    status,
  };
}

function pod(name: string, status: Pod['status']): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: labelsOf(SERVICE, V1) },
    ...(status === undefined ? {} : { status }),
  };
}

const unschedulable: Pod['status'] = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }],
};

function problems(around: Partial<Surroundings>): readonly string[] {
  return problemsOf({
    service: SERVICE,
    deployments: [deployment()],
    pods: [],
    shown: new Set(),
    otherServices: [],
    otherAutoscalers: [],
    ...around,
  });
}

describe('problems of a version', () => {
  test('are none where all is well', () => {
    expect(problems({ pods: [pod('a', { phase: 'Running' })] })).toEqual([]);
  });

  test('are what its Deployment could not do', () => {
    const conditions = [
      { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: small' },
      { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' },
      { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' },
    ];
    expect(problems({ deployments: [deployment({ conditions })] })).toEqual([
      `v1: Deployment ${NAME}: FailedCreate: exceeded quota: small`,
      `v1: Deployment ${NAME}: ProgressDeadlineExceeded: timed out`,
    ]);
  });

  test('are those of Pods that are no instances, the same ones together', () => {
    const waiting = (reason: string): Pod['status'] => ({
      containerStatuses: [{ name: 'manager', state: { waiting: { reason, message: 'no such image' } } }],
    });
    const pods = [
      pod('c', unschedulable),
      pod('a', unschedulable),
      pod('d', waiting('ImagePullBackOff')),
      pod('e', waiting('ContainerCreating')),
      pod('shown', waiting('CrashLoopBackOff')),
      pod('evicted', { phase: 'Failed', reason: 'Evicted', message: 'no memory' }),
    ];
    expect(problems({ pods, shown: new Set(['shown']) })).toEqual([
      'v1: Pod a and 1 more: Unschedulable: 0/3 nodes',
      'v1: Pod d: manager: ImagePullBackOff: no such image',
      'v1: Pod evicted: Evicted: no memory',
    ]);
  });

  test('are not those of a Pod that makes room for another one', () => {
    const ended = pod('a', {
      phase: 'Failed',
      conditions: [{ type: 'DisruptionTarget', status: 'True' }],
    });
    expect(problems({ pods: [ended] })).toEqual([]);
  });

  test('are Services of others that select its Pods', () => {
    const service = (name: string, selector?: Record<string, string>): Service => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: selector === undefined ? {} : { selector },
    });
    const otherServices = [
      service('all', { app: 'manager' }),
      service('others', { app: 'manager', tier: 'a' }),
      service('without-selector'),
      service('external', {}),
    ];
    expect(problems({ otherServices })).toEqual([
      'v1: Service all selects its Pods by their labels, so clients of it reach v1 whatever is primary: select by other labels, or take these out of the Pod template',
    ]);
  });

  test('are autoscalers of others', () => {
    const autoscaler = (name: string, kind: string, target: string) => ({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name },
      spec: { scaleTargetRef: { kind, name: target } },
    });
    const otherAutoscalers = [
      autoscaler('by-hand', 'Deployment', NAME),
      autoscaler('elsewhere', 'Deployment', 'web'),
      autoscaler('of-another-kind', 'StatefulSet', NAME),
    ];
    expect(problems({ otherAutoscalers })).toEqual([
      'v1: HorizontalPodAutoscaler by-hand scales its Deployment, which is left to it: delete it and write spec.runtime.kubernetes.autoscaling instead',
    ]);
  });
});
