// Versions that are listed by address: taken up while there is room.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_LIVE_VERSIONS } from '../../../src/model/limits.ts';
import { versionName } from '../../../src/model/names.ts';
import { versionsOffered } from '../../../src/rollout/offered.ts';
import { aRecord, aVersion } from '../../support/records.ts';
import { seed } from '../../support/seed.ts';

test('no more are taken up than may live, none twice, and none is left while there is room', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: MAX_LIVE_VERSIONS + 5 }),
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 20 }),
      (live, retired, added) => {
        const versions = [
          ...Array.from({ length: live }, (_, index) => aVersion(`live-${index}`)),
          ...Array.from({ length: retired }, (_, index) => aVersion(`old-${index}`, { state: 'Retired' })),
        ];
        const news = Array.from({ length: added }, (_, index) => versionName(`new-${index}`));
        const offered = [...versions.map(({ name }) => name), ...news];
        const { taken, left } = versionsOffered(aRecord({ versions }), offered);
        expect([...taken, ...left]).toEqual(news);
        const after = live + taken.length;
        if (left.length > 0) expect(after).toBeGreaterThanOrEqual(MAX_LIVE_VERSIONS);
        if (taken.length > 0) expect(after).toBeLessThanOrEqual(MAX_LIVE_VERSIONS);
      },
    ),
    { seed: seed() },
  );
});
