// When a replica that does not decide stays on what it shows.
import { describe, expect, test } from 'vitest';
import { versionName } from '../../../src/model/names.ts';
import type { Traffic } from '../../../src/model/state.ts';
import { heldBack } from '../../../src/routing/hold-back.ts';
import { anInstance, aRecord } from '../../support/records.ts';

const [v1, v2] = [versionName('v1'), versionName('v2')];
const onV1: Traffic = { kind: 'steady', primary: v1 };
const shifting = (weight: number): Traffic => ({
  kind: 'shifting',
  primary: v1,
  candidate: v2,
  weight,
  salt: 's',
});

function held(from: Traffic, to: Traffic, ready: readonly string[]): string | undefined {
  const instances = [
    ...ready.map((version) => anInstance(version)),
    anInstance('v2', { state: 'Starting', reason: 'not ready' }),
  ];
  return heldBack(aRecord({ traffic: from }), aRecord({ traffic: to }), instances);
}

describe('a replica that follows', () => {
  test('stays where default traffic would come to a version of which it knows no ready endpoint', () => {
    for (const to of [shifting(10), shifting(100), { kind: 'steady', primary: v2 } as const])
      expect(held(onV1, to, ['v1'])).toBe(
        'manager: default traffic would come to v2, of which no ready endpoint is known here yet',
      );
  });

  test('goes on when it knows one', () => {
    expect(held(onV1, shifting(10), ['v1', 'v2'])).toBeUndefined();
  });

  test('goes on where no version gets default traffic that had none, whatever is ready', () => {
    expect(held(shifting(10), shifting(50), ['v1'])).toBeUndefined();
    expect(held(onV1, onV1, [])).toBeUndefined();
    expect(held(onV1, shifting(0), [])).toBeUndefined();
  });
});
