// What a changed document does to Pods that run: nothing to what they are, at once to how many there are.
import { describe, expect, test } from 'vitest';
import type { KubernetesRuntimeSpec } from '../../../src/model/kubernetes.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { effectsOf } from '../../../src/operations/apply-effects.ts';
import { aRecord, aSpec, aVersion } from '../../support/records.ts';

const RUNTIME: KubernetesRuntimeSpec = {
  kind: 'kubernetes',
  pods: { kind: 'deployment', name: 'manager', images: { manager: 'manager:${version}' } },
  port: 8080,
  replicas: 2,
  maxUnavailable: 1,
};
const record = (
  runtime: Partial<KubernetesRuntimeSpec>,
  versions: ServiceRecord['versions'],
): ServiceRecord => aRecord({ spec: aSpec({ runtime: { ...RUNTIME, ...runtime } }), versions });
const TWO = [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v0', { state: 'Retired' })];
const ofPods = (change: Partial<KubernetesRuntimeSpec>, versions = TWO): readonly string[] =>
  effectsOf(record({}, versions), record(change, versions));

const RESTARTS_NOTHING =
  'restarts nothing: v1, v2 keep the Pods and the port that they were made with; versions that are made from now on get the new ones';
const CHANGES_THE_NUMBER = 'changes how many Pods there are of v1, v2, at once';

describe('a changed document', () => {
  test.each([
    [
      'of another template',
      { pods: { kind: 'template' as const, template: { spec: {} } } },
      [RESTARTS_NOTHING],
    ],
    ['of another port', { port: 'http' }, [RESTARTS_NOTHING]],
    ['of another number', { replicas: 3 }, [CHANGES_THE_NUMBER]],
    ['of another budget', { maxUnavailable: '50%' }, [CHANGES_THE_NUMBER]],
    ['with an autoscaler', { autoscaling: { min: 2, max: 3, cpuPercent: 80 } }, [CHANGES_THE_NUMBER]],
    ['of both', { port: 9090, replicas: 3 }, [RESTARTS_NOTHING, CHANGES_THE_NUMBER]],
    ['of another primary Service', { primaryService: 'a' }, []],
    ['of nothing', {}, []],
  ])('%s', (_, change, effects) => {
    expect(ofPods(change)).toEqual(effects);
  });

  test('of a service without Pods does nothing to them', () => {
    expect(ofPods({ port: 9090, replicas: 3 }, [aVersion('v1', { state: 'Retired' })])).toEqual([]);
  });

  test('names one version as one', () => {
    expect(ofPods({ port: 9090 }, [aVersion('v1', { state: 'Primary' })])).toEqual([
      'restarts nothing: v1 keeps the Pods and the port that they were made with; versions that are made from now on get the new ones',
    ]);
  });
});
