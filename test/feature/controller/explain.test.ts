/** explain over a running controller: what it answers, and what it refuses to guess. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serviceName } from '../../../src/model/names.ts';
import { ControllerWorld, manager, managerDocument } from '../../support/controller-world.ts';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
  await world.apply(managerDocument());
});
afterEach(() => world.stop());

const request = { host: 'manager.test', path: '/', headers: [] };

test('it answers for a service by name, and by the listener that knows the host', () => {
  const decision = world.operations.explain({ service: manager, request });
  expect(decision.service).toBe('manager');
  expect(world.operations.explain({ request })).toEqual(decision);
});

test('a service or a listener that nobody has is refused by name', () => {
  const explain = world.operations.explain.bind(world.operations);
  expect(() => explain({ service: serviceName('other'), request })).toThrow(/other/);
  expect(() => explain({ listener: 'other', request })).toThrow(
    'listener: there is no listener "other"; known: gateway',
  );
});

test('a host that two listeners give to two services needs the listener', async () => {
  const other = managerDocument({ name: 'other', port: 10_001 }).replace('name: gateway', 'name: second');
  await world.apply(other);
  expect(() => world.operations.explain({ request })).toThrow(
    /^listener: .*manager, other.*name the listener/,
  );
  expect(world.operations.explain({ listener: 'second', request }).service).toBe('other');
});
