/** Stored records are read strictly, and what is written is read back as it was. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedMeasurement } from '../../../../src/adapters/stored/measurement.ts';
import { storedEvent, storedProxy, storedService } from '../../../../src/adapters/stored/records.ts';
import { storedRoll } from '../../../../src/adapters/stored/roll.ts';
import { storedRollout } from '../../../../src/adapters/stored/rollout.ts';
import { object, ShapeError, tagged, text } from '../../../../src/adapters/stored/shape.ts';
import { storedCoverage, storedTrafficCount } from '../../../../src/adapters/stored/traffic.ts';
import { storedWatcher } from '../../../../src/adapters/stored/watchers.ts';
import type { ServiceRecord } from '../../../../src/model/state.ts';
import { anyRoll, anyWatcher } from '../../../support/any-delegates.ts';
import {
  anyCoverage,
  anyMeasurement,
  anyServiceRecord,
  anyTrafficCount,
} from '../../../support/any-records.ts';
import { seed } from '../../../support/seed.ts';
import { measurement, rolloutRecord } from '../../../support/stored-history.ts';
import { newEvent, proxySeen, serviceRecord } from '../../../support/stored-records.ts';

function throughText(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** A copy of the record with one place changed. */
function altered(path: readonly (string | number)[], value: unknown): unknown {
  const copy = throughText(serviceRecord({ name: 'manager' }));
  let place = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) place = place[step] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

describe('a stored record', () => {
  test('every service record is read back as it was written', () => {
    fc.assert(
      fc.property(anyServiceRecord, (record) => {
        expect(storedService.read(throughText(record), '')).toEqual(throughText(record));
      }),
      { seed: seed() },
    );
  });

  test('so is every measurement, count of requests and coverage', () => {
    fc.assert(
      fc.property(anyMeasurement, anyTrafficCount, anyCoverage, (measured, traffic, coverage) => {
        expect(storedMeasurement.read(throughText(measured), '')).toEqual(throughText(measured));
        expect(storedTrafficCount.read(throughText(traffic), '')).toEqual(traffic);
        expect(storedCoverage.read(throughText(coverage), '')).toEqual(coverage);
      }),
      { seed: seed(), numRuns: 300 },
    );
  });

  test('so is every watcher, and every roll', () => {
    fc.assert(
      fc.property(anyWatcher, anyRoll, (watcher, roll) => {
        const record = { rollout: rolloutRecord({}).id, roll };
        expect(storedWatcher.read(throughText(watcher), '')).toEqual(throughText(watcher));
        expect(storedRoll.read(throughText(record), '')).toEqual(throughText(record));
      }),
      { seed: seed() },
    );
  });

  test('numbers that JSON cannot hold are refused', () => {
    for (const candidate of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const value = {
        ...measurement(rolloutRecord({}).id, 1, { kind: 'Data', data: { kind: 'value', candidate } }),
      };
      expect(() => storedMeasurement.read(value, '')).toThrow(
        /outcome.data.candidate is null where a finite number/,
      );
    }
  });

  test.each<[string, (rollout: Record<string, unknown>) => void, string]>([
    ['state', (rollout) => (rollout['state'] = 'Done'), 'state is "Done" where one of Waiting'],
    ['step', (rollout) => (rollout['step'] = { kind: 'Shift', index: 0 }), 'step.weight is absent where'],
    ['policy', (rollout) => delete rollout['policy'], 'policy is absent where an object belongs'],
  ])('a rollout with a wrong %s is refused by name', (_, alter, message) => {
    const rollout = throughText(rolloutRecord({})) as Record<string, unknown>;
    alter(rollout);
    expect(() => storedRollout.read(rollout, '')).toThrow(message);
  });

  test('an event and a proxy are read back as they were written', () => {
    const event = { ...newEvent({ action: 'Flip', service: 'manager' }), sequence: 3 };
    expect(storedEvent.read(throughText(event), '')).toEqual(event);
    expect(storedProxy.read(throughText(proxySeen({ id: 'gateway-1' })), '')).toEqual(
      proxySeen({ id: 'gateway-1' }),
    );
  });

  test('fields that a newer release added are left out, not refused', () => {
    const newer = { ...serviceRecord({ name: 'manager' }), forecast: { state: 'Rain' } };
    expect(storedService.read(throughText(newer), '')).toEqual(serviceRecord({ name: 'manager' }));
  });

  test.each([
    [['generation'], undefined, 'generation is absent where a whole number of at least 0 belongs'],
    [['generation'], 1.5, 'generation is 1.5 where'],
    [['name'], 'Manager', 'name is "Manager" where a valid value'],
    [['spec', 'listeners', 0, 'port'], '10000', 'spec.listeners[0].port is "10000" where'],
    [
      ['spec', 'runtime', 'kind'],
      'balloons',
      'spec.runtime.kind is "balloons" where one of endpoints, processes, kubernetes',
    ],
    [
      ['spec', 'pin', 'onUnknown'],
      'Guess',
      'spec.pin.onUnknown is "Guess" where one of Refuse, Primary belongs',
    ],
    [['versions'], {}, 'versions is {} where a list belongs'],
    [['versions', 2, 'mark', 'since'], -1, 'versions[2].mark.since is -1 where'],
    [['traffic'], null, 'traffic is null where an object belongs'],
    [['traffic', 'kind'], undefined, 'traffic.kind is absent where one of none, steady, shifting belongs'],
  ])('%j = %j is refused by name', (path, value, message) => {
    const read = () => storedService.read(altered(path, value), '');
    expect(read).toThrow(ShapeError);
    expect(read).toThrow(message);
  });

  test('a shape that forgets a field of its type does not compile', () => {
    // @ts-expect-error: `generation` and others are missing
    object<ServiceRecord>({ document: text });
    // @ts-expect-error: the variant `steady` is missing
    tagged<{ kind: 'none' } | { kind: 'steady'; primary: string }>({ none: {} });
    expect(tagged<{ kind: 'none' }>({ none: {} }).read({ kind: 'none' }, '')).toEqual({ kind: 'none' });
  });
});
