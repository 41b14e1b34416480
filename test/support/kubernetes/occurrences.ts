/** Things to tell of, and an object that they are about. */
import type { ObjectReference, Occurrence } from '../../../src/adapters/kubernetes/events/event.ts';
import { instant } from '../../../src/model/instant.ts';

export const START = 1_800_000_000_000;

export const REGARDING: ObjectReference = {
  apiVersion: 'switchyard.dev/v1alpha1',
  kind: 'VersionedService',
  namespace: 'shop',
  name: 'manager',
  uid: 'uid-1',
  resourceVersion: '7',
};

export function occurrence(id: string, more: Partial<Occurrence> = {}): Occurrence {
  const words = { type: 'Normal', action: 'RollOut', reason: 'StepEntered', note: `note ${id}` } as const;
  return { at: instant(START), id, ...words, ...more };
}
