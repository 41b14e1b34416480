/** How a service begins of which nothing is recorded: who says first which version is primary, and when it must be asked. */
import { describe, expect, test } from 'vitest';
import { beginningOf, PRIMARY_ANNOTATION, type Traces } from '../../../src/custom-resources/beginning.ts';
import { FINALIZER, type ServiceObject } from '../../../src/custom-resources/objects.ts';
import { versionName } from '../../../src/model/names.ts';

const [v1, v2, v3] = [versionName('v1'), versionName('v2'), versionName('v3')] as const;
const NOTHING: Traces = { selected: undefined, versions: [] };

function object(
  annotation: string | undefined,
  finalizers: readonly string[],
  status?: ServiceObject['status'],
): ServiceObject {
  const annotations = annotation === undefined ? {} : { [PRIMARY_ANNOTATION]: annotation };
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name: 'manager', annotations, finalizers },
    spec: {},
    ...(status === undefined ? {} : { status }),
  };
}

describe('a service of which nothing is recorded', () => {
  test('is new where nobody looked after it before', () => {
    expect(beginningOf(object(undefined, []), NOTHING)).toEqual({ kind: 'New' });
    expect(beginningOf(object(undefined, ['others.example/keep']), NOTHING)).toEqual({ kind: 'New' });
    expect(beginningOf(object(undefined, [FINALIZER], { observedGeneration: 1 }), NOTHING)).toEqual({
      kind: 'New',
    });
  });

  test('keeps the primary that an annotation names, else the one that its Service leads to, else that of its status', () => {
    const traces: Traces = { selected: v2, versions: [v1, v2] };
    const status = { observedGeneration: 1, primary: 'v3' };
    const primaryOf = (...input: Parameters<typeof beginningOf>): unknown => {
      const beginning = beginningOf(...input);
      return beginning.kind === 'Found' ? beginning.found.primary : beginning.kind;
    };
    expect(primaryOf(object('v1', [FINALIZER], status), traces)).toBe(v1);
    expect(primaryOf(object(undefined, [FINALIZER], status), traces)).toBe(v2);
    expect(primaryOf(object(undefined, [], undefined), traces)).toBe(v2);
    expect(primaryOf(object(undefined, [FINALIZER], status), NOTHING)).toBe(v3);
    expect(primaryOf(object('-', [FINALIZER], status), traces)).toBe('New');
  });

  test('is asked about where it was looked after and its status is empty, and where the answer is no version', () => {
    expect(beginningOf(object(undefined, [FINALIZER]), NOTHING)).toMatchObject({
      kind: 'Unknown',
      message: expect.stringContaining(`${PRIMARY_ANNOTATION}=VERSION`) as string,
    });
    expect(beginningOf(object('V 1', []), NOTHING)).toMatchObject({
      kind: 'Unknown',
      message: expect.stringMatching(/"V 1": a version is lower-case/) as string,
    });
  });
});
