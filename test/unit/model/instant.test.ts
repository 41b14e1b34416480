import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant, isoTime } from '../../../src/model/instant.ts';

test('an instant reads like an ISO time in UTC, whole seconds, over all of the calendar', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (at) => {
      expect(isoTime(instant(at))).toBe(new Date(at).toISOString().replace(/\.\d+Z$/, 'Z'));
    }),
  );
});
