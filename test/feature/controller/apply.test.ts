/** apply: all or nothing, with the place of each fault, and with what it would do said before it is done. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import type { ApplyRequest } from '../../../src/operations/types.ts';
import { ControllerWorld, manager, managerDocument, operator } from '../../support/controller-world.ts';
import { aProcessesSpec, aRecord } from '../../support/records.ts';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
});
afterEach(() => world.stop());

const apply = (texts: string[], more: Partial<ApplyRequest> = {}) =>
  world.operations.apply({
    caller: operator,
    documents: texts.map((text, index) => ({ file: `${index}.yaml`, text })),
    expectedGenerations: new Map(),
    dryRun: false,
    ...more,
  });

test('one faulty document of several keeps all of them out', async () => {
  const refused = apply([managerDocument(), managerDocument({ name: 'other', port: 99_999 })]);
  await expect(refused).rejects.toMatchObject({
    code: 'InvalidArgument',
    details: { problems: [{ file: '1.yaml', field: 'spec.listeners[0].port', line: expect.any(Number) }] },
  });
  expect(world.operations.services()).toEqual([]);
});

test('services that do not go together with what is applied are refused', async () => {
  await world.apply(managerDocument());
  await expect(apply([managerDocument({ name: 'other', port: 10_001 })])).rejects.toMatchObject({
    code: 'InvalidArgument',
  });
  expect(world.operations.services().map(({ record }) => record.name)).toEqual(['manager']);
});

test('the same document again changes nothing', async () => {
  await world.apply(managerDocument());
  const before = world.operations.service(manager).record.generation;
  const { changes } = await apply([managerDocument()]);
  expect(changes).toMatchObject([{ kind: 'Unchanged' }]);
  expect(world.operations.service(manager).record.generation).toBe(before);
});

describe('a dry run', () => {
  test('says what would change and that a moved listener cuts streams, and writes nothing', async () => {
    await world.apply(managerDocument());
    const { changes } = await apply([managerDocument({ port: 10_001, wanted: 'v2' })], { dryRun: true });
    expect(changes[0]).toMatchObject({
      kind: 'Changed',
      differences: expect.arrayContaining([{ field: 'spec.version', before: 'v1', after: 'v2' }]),
      effects: expect.arrayContaining([
        'cuts streams: listener gateway moves from 127.0.0.1:10000 to 127.0.0.1:10001',
      ]),
    });
    expect(world.operations.service(manager).record.spec.listeners[0]?.port).toBe(10_000);
  });
});

test('a document made for an older generation loses with both values', async () => {
  await world.apply(managerDocument());
  const { generation } = world.operations.service(manager).record;
  const stale = apply([managerDocument({ wanted: 'v2' })], {
    expectedGenerations: new Map([[manager, generation - 1]]),
  });
  await expect(stale).rejects.toMatchObject({
    code: 'Aborted',
    details: { generations: { expected: generation - 1, actual: generation } },
  });
});

test('the first wanted version becomes the primary; a later one waits beside it', async () => {
  await world.apply(managerDocument());
  await world.becomes('v1', 'Primary');
  await world.apply(managerDocument({ wanted: 'v2' }));
  await world.becomes('v2', 'Standby');
  expect(world.operations.service(manager).record.traffic).toMatchObject({ primary: 'v1' });
});

describe('rule 7: nothing is wiped by accident', () => {
  test('a controller with an empty store publishes nothing before the first apply', async () => {
    expect(world.proxies.published).toEqual([]);
    await world.apply(managerDocument());
    expect(world.proxies.published.length).toBeGreaterThan(0);
  });

  test('a restarted controller publishes first when the endpoints are known, and the same content as before', async () => {
    await world.apply(managerDocument());
    await world.becomes('v2', 'Standby');
    const before = world.proxies.published.at(-1);
    world = await world.restart();
    const first = world.proxies.published[0];
    expect(first?.table).toEqual(before?.table);
    expect(first?.number).toBeGreaterThan(before?.number ?? 0);
  });
});

test('a controller that may not run commands refuses a store that holds some, and names the flag', async () => {
  const store = createMemoryStore();
  await store.commit({ services: [aRecord({ spec: aProcessesSpec() })] });
  await expect(ControllerWorld.start({ store })).rejects.toThrow(/manager .*--allow-commands/);
});
