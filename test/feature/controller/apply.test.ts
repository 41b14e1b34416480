/** apply: all or nothing, with the place of each fault, and with what it would do said before it is done. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { ApplyRequest } from '../../../src/operations/types.ts';
import { ControllerWorld, manager, managerDocument, operator, v2 } from '../../support/controller-world.ts';
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

test('a runtime that this controller does not have is refused, with the field and who has it', async () => {
  const document = managerDocument().replace(
    /runtime:[^]*?(?=\n {2}\w)/,
    'runtime: {kubernetes: {port: 8080, deployment: {name: a, images: {a: "a:${version}"}}}}',
  );
  await expect(apply([document])).rejects.toMatchObject({
    code: 'InvalidArgument',
    message: expect.stringContaining(
      'spec.runtime.kubernetes: this controller has no kubernetes runtime; it has: endpoints; one that is started with --kubernetes has it',
    ),
  });
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

describe('rule 7: a document that no longer lists a version takes no traffic away by accident', () => {
  const file = '/nonexistent/endpoints.yaml';
  const besideFile = (document: string) => document.replace('    endpoints:\n', `$&      file: ${file}\n`);
  const both = { v1: [9001], v2: [9011] };
  const withInstances = () =>
    world.operations
      .service(manager)
      .versions.filter(({ instances }) => instances.length > 0)
      .map(({ record }) => record.name);
  const onlyV2 = () => apply([managerDocument({ versions: { v2: [9011] }, wanted: 'v2' })]);
  const effects = async (versions: Record<string, number[]>, withFile?: 'beside a file') => {
    const document = managerDocument({ versions, wanted: 'v2' });
    const text = withFile === undefined ? document : besideFile(document);
    const { changes } = await apply([text], { dryRun: true });
    return changes[0]?.effects;
  };
  const refused = (...parts: string[]) => ({
    code: 'FailedPrecondition',
    message: expect.stringMatching(new RegExp(parts.join('.*'))),
  });
  beforeEach(async () => {
    await world.apply(managerDocument({ versions: both }));
    await world.becomes('v1', 'Primary');
    await world.becomes('v2', 'Standby');
  });

  test('of the primary is refused, also as a dry run, and says what to do', async () => {
    const why = refused('v1 is no longer listed', 'is the primary', 'addresses: \\[\\]', 'flip to another');
    await expect(onlyV2()).rejects.toMatchObject(why);
    await expect(effects({ v2: [9011] })).rejects.toMatchObject(why);
    expect(withInstances()).toContain('v1');
  });

  test('of the candidate of a shift is refused', async () => {
    await world.operations.setWeight({ ...world.request(), version: v2, weight: 30, waiveGates: false });
    const onlyV1 = apply([managerDocument({ versions: { v1: [9001] } })]);
    await expect(onlyV1).rejects.toMatchObject(
      refused('v2 is no longer listed', '30%', 'set its weight to 0'),
    );
  });

  test('of a version with held tenants is refused', async () => {
    const tenant = tenantName('acme');
    await world.operations.hold({ ...world.request(), tenant, version: v2, duration: 60_000 });
    const onlyV1 = apply([managerDocument({ versions: { v1: [9001] } })]);
    await expect(onlyV1).rejects.toMatchObject(refused('v2 is no longer listed', 'acme', 'release'));
  });

  test('of the previous primary is refused, since it is the way back', async () => {
    await world.operations.flip({ ...world.request(), version: v2, waiveGates: false });
    await expect(onlyV2()).rejects.toMatchObject(
      refused('v1 is no longer listed', 'rollback', '--give-up-rollback'),
    );
  });

  test('of a standby says that pins on it get 503, and is done', async () => {
    const document = managerDocument({ versions: { v1: [9001] } });
    const { changes } = await apply([document], { dryRun: true });
    expect(changes[0]?.effects).toContain(
      'v2 loses all its addresses: pins on it get 503 (retire it instead)',
    );
    await expect(apply([document])).resolves.toMatchObject({ changes: [{ kind: 'Changed' }] });
  });

  test('of a service that never was ready is free', async () => {
    const unready = { name: 'other', domain: 'other.test' };
    await apply([besideFile(managerDocument({ ...unready, versions: { v3: [] } }))]);
    const next = apply([managerDocument({ ...unready, versions: { v2: [] }, wanted: 'v2' })]);
    await expect(next).resolves.toMatchObject({
      changes: [{ effects: ['starts v2; it becomes the primary when it is ready'] }],
    });
  });

  test('but an empty list of addresses is an order: it is done, and the dry run says what it does', async () => {
    expect(await effects({ v1: [], v2: [9011] })).toContain(
      'v1 loses all its addresses: default traffic gets 503; pins on it get 503',
    );
    await apply([managerDocument({ versions: { v1: [], v2: [9011] } })]);
    expect(withInstances()).toEqual(['v2']);
    expect((await effects({ v1: [], v2: [9011, 9012] }))?.join()).not.toContain('loses');
  });

  test('and an empty list for a candidate, a hold or the way back says what each of them comes to', async () => {
    const tenant = tenantName('acme');
    await world.operations.hold({ ...world.request(), tenant, version: v2, duration: 60_000 });
    await world.operations.setWeight({ ...world.request(), version: v2, weight: 30, waiveGates: false });
    expect(await effects({ v1: [9001], v2: [] })).toContain(
      'v2 loses all its addresses: its 30% of the default traffic goes back to v1; 1 held tenant(s) get 503; pins on it get 503',
    );
    await world.operations.flip({ ...world.request(), version: v2, waiveGates: false });
    expect(await effects({ v1: [], v2: [9011] })).toContain(
      'v1 loses all its addresses: a rollback to it would be refused; pins on it get 503',
    );
  });

  test('with a watched file beside it keeps the last addresses until the file lists the version', async () => {
    expect(await effects({ v2: [9011] }, 'beside a file')).toContain(
      `v1 is listed by ${file} alone from now on; its last addresses stay in use until that lists it`,
    );
    const document = managerDocument({ versions: { v2: [9011] } });
    await apply([besideFile(document)]);
    expect(withInstances()).toEqual(['v1', 'v2']);
    // The file might list it: a document without the file must list it again.
    await expect(onlyV2()).rejects.toMatchObject(refused('v1 is no longer listed'));
  });
});

test('a controller that may not run commands refuses a store that holds some, and names the flag', async () => {
  const store = createMemoryStore();
  await store.commit({ services: [aRecord({ spec: aProcessesSpec() })] });
  await expect(ControllerWorld.start({ store })).rejects.toThrow(/manager .*--allow-commands/);
});
