// How many services one controller takes.
import { expect, test } from 'vitest';
import { MAX_SERVICES } from '../../../src/model/limits.ts';
import { serviceName } from '../../../src/model/names.ts';
import { requireRoomForServices } from '../../../src/operations/room.ts';

const names = ['alpha', 'beta', 'gamma'].map(serviceName);

test('as many are taken as there is room for; the first that is one too many is named, and what to do', () => {
  expect(() => requireRoomForServices(MAX_SERVICES - 3, names)).not.toThrow();
  expect(() => requireRoomForServices(MAX_SERVICES, [])).not.toThrow();
  expect(() => requireRoomForServices(MAX_SERVICES - 2, names)).toThrow(
    'gamma would be one service more than the 1000 that one controller takes; it has 998: delete those that are not used any more, or give others a controller of their own',
  );
  // A controller that has more already refuses new ones only.
  expect(() => requireRoomForServices(MAX_SERVICES + 5, names)).toThrow(/^alpha would be/);
});
