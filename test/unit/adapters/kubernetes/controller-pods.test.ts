/** Which Pod of the controller a command asks. */
import { expect, test } from 'vitest';
import {
  type ControllerPod,
  chosenPod,
  NoControllerError,
} from '../../../../src/adapters/kubernetes/port-forward/pods.ts';

interface Given {
  readonly name: string;
  readonly isReady?: boolean;
  readonly isEnding?: boolean;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
}

function pod({ name, isReady = true, isEnding = false, ports = [] }: Given): ControllerPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(isEnding ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { containers: [{ ports: [{ name: 'xds', containerPort: 18_000 }] }, { ports }] },
    status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  };
}

test('one that is ready and stays is asked: the first by name, at the port that it calls admin', () => {
  const pods = [
    pod({ name: 'd' }),
    pod({ name: 'c', ports: [{ name: 'admin', containerPort: 9_999 }] }),
    pod({ name: 'b', isEnding: true }),
    pod({ name: 'a', isReady: false }),
  ];
  expect(chosenPod(pods, 'shop')).toEqual({ namespace: 'shop', pod: 'c', port: 9_999 });
  expect(chosenPod([pod({ name: 'd' })], 'shop')).toMatchObject({ pod: 'd', port: 18_001 });
});

test('where none can be asked, those that are there are named', () => {
  expect(() => chosenPod([], 'shop')).toThrow('there is no Pod of the controller in namespace shop');
  const waiting = [pod({ name: 'b', isEnding: true }), pod({ name: 'a', isReady: false })];
  expect(() => chosenPod(waiting, 'shop')).toThrow(
    'no Pod of the controller is ready in namespace shop: a, b',
  );
  expect(() => chosenPod(waiting, 'shop')).toThrow(NoControllerError);
});
