/** A service that ran before anything was recorded of it: its default traffic stays where it was found. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { versionName } from '../../../src/model/names.ts';
import { takenUp } from '../../../src/rollout/taken-up.ts';
import { serviceRecord } from '../../support/stored-records.ts';

const version = fc.constantFrom('v1', 'v2', 'v3', 'v4', 'v5').map((name) => versionName(name));
const start = { by: 'tester', reason: '', urgent: false, now: instant(1_000), group: [] };

test('whatever is wanted: the primary stays, all that runs can be named, and a rollout waits for a person', () => {
  fc.assert(
    fc.property(version, version, fc.uniqueArray(version), (primary, wanted, versions) => {
      const record = serviceRecord({ name: 'manager' });
      const empty = {
        ...record,
        spec: { ...record.spec, version: wanted },
        traffic: { kind: 'none' },
        versions: [],
      } as const;
      const { traffic, versions: made, rollout } = takenUp(empty, { primary, versions }, start);
      expect(traffic).toEqual({ kind: 'steady', primary });
      for (const name of [primary, ...versions])
        expect(made.find((one) => one.name === name)?.state).toBe(name === primary ? 'Primary' : 'Standby');
      if (wanted === primary) expect(rollout).toBeUndefined();
      else expect(rollout).toMatchObject({ version: wanted, baseline: primary, state: 'Paused' });
    }),
  );
});
