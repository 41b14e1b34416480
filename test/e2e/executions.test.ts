/**
 * Executions behind a real Envoy: customers and delegates know the gateway only. What began on v1 ends on v1 while v2 is
 * primary; v1 is drained by the workflow store's own count, and retired; its delegates stop asking.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Delegate } from '../../examples/delegate/delegate.ts';
import { VERSION_STATE } from '../../src/admin/enums.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { type Site, useSite } from '../support/system/site.ts';
import { ExampleSite, type ManagerHere } from '../support/workflow/example-site.ts';
import { Customer } from '../support/workflow/manager-api.ts';

let port = 0;
let examples: ExampleSite;
let managers: Readonly<Record<'v1' | 'other' | 'v2', ManagerHere>>;
let delegates: Readonly<Record<'v1' | 'v2' | 'v9', Delegate>>;
let service: ServiceDocument;

const theSite = useSite(async (site) => {
  await site.start([]);
  port = await freePort();
  examples = await ExampleSite.open();
  site.defer(() => examples.close());
  managers = {
    v1: await examples.manager({ version: 'v1', instance: 'v1-a' }),
    other: await examples.manager({ version: 'v1', instance: 'v1-b' }),
    v2: await examples.manager({ version: 'v2', instance: 'v2-a' }),
  };
  const addresses = (...of: readonly ManagerHere[]) => of.map((manager) => `127.0.0.1:${manager.port}`);
  service = {
    name: 'manager',
    version: 'v1',
    listeners: [{ name: 'gateway', port }],
    runtime: {
      endpoints: {
        versions: [
          { name: 'v1', addresses: addresses(managers.v1, managers.other) },
          { name: 'v2', addresses: addresses(managers.v2) },
        ],
      },
    },
    more: { drain: { workflow: {} } },
  };
  await site.gateway({ name: 'edge' });
  await site.apply(service);
  await site.inSync('edge');
  delegates = {
    v1: await examples.delegate({ port, box: 'box-1', version: 'v1' }),
    v2: await examples.delegate({ port, box: 'box-1', version: 'v2' }),
    v9: await examples.delegate({ port, box: 'box-1', version: 'v9' }),
  };
});
let site: Site;
let customer: Customer;
beforeEach(() => {
  site = theSite();
  customer = new Customer(port);
});

const WORK = 'pipeline: p\nsteps: [{ name: ask, approval: {} }, { name: work, shell: "printf done" }]';
let begun = '';

describe('executions behind a gateway', () => {
  it('reach the delegates that have pinned their version; one whose version is not active stops asking, and says so', async () => {
    await eventually(() => delegates.v1.health().ready, { within: 30_000, what: 'the delegate of v1' });
    await eventually(() => delegates.v9.health().versionNotActive, { within: 30_000, what: 'the refusal' });
    expect(delegates.v9.health()).toMatchObject({ ready: false, connected: false, reason: /active: v1/ });
    const id = await customer.start('pipeline: p\nsteps: [{ name: work, shell: "printf done" }]');
    expect(await customer.ended(id)).toMatchObject({
      state: 'Succeeded',
      version: 'v1',
      result: { stdout: 'done' },
    });
    begun = await customer.start(WORK);
  });

  it('begin on the primary after a flip, while those of the version before go on there', async () => {
    await site.apply({ ...service, version: 'v2' });
    await site.ok('flip', 'manager', 'v2', '--reason', 'v2 is good');
    await eventually(() => delegates.v2.health().ready, { within: 30_000, what: 'the delegate of v2' });
    const id = await customer.start('pipeline: p\nsteps: [{ name: work, shell: "printf new" }]');
    expect(await customer.ended(id)).toMatchObject({ state: 'Succeeded', version: 'v2' });
    expect(delegates.v1.health()).toMatchObject({ ready: true });
    expect(await customer.show(begun)).toMatchObject({ state: 'Running', version: 'v1' });
  });

  it('keep their version from being retired until they have ended, on it and with its delegates', async () => {
    await site.ok('drain', 'manager', 'v1', '--give-up-rollback', '--reason', 'v2 stays');
    const refused = await site.run(
      'retire',
      'manager',
      'v1',
      '--give-up-rollback',
      '--yes',
      '--reason',
      'now',
    );
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining(begun)]);
    const pinned = { 'x-delegate-version': 'v1' };
    expect(await customer.ask('POST', '/executions', { pipeline: WORK }, pinned)).toMatchObject({
      status: 503,
      body: { code: 'VERSION_FENCED' },
    });
    // The customer speaks to v2, which passes the order on.
    await customer.ask('POST', `/executions/${begun}/approve`, { step: 'ask', by: 'ada' });
    const { state, history } = await customer.ended(begun, 30_000);
    expect(state).toBe('Succeeded');
    const workers = history.filter(({ kind }) => kind !== 'Commanded').map(({ worker }) => worker.version);
    expect(new Set(workers)).toEqual(new Set(['v1']));
    expect(new Set(history.flatMap(({ delegate }) => delegate?.version ?? []))).toEqual(new Set(['v1']));
  });

  it('leave a version that can be retired, and its delegate stops asking', async () => {
    await eventually(
      async () => {
        const { exitCode } = await site.run(
          'retire',
          'manager',
          'v1',
          '--give-up-rollback',
          '--yes',
          '--reason',
          'done',
        );
        return exitCode === 0 || (await site.version('manager', 'v1')) === undefined;
      },
      { within: 60_000, every: 500, what: 'the retirement of v1' },
    );
    await eventually(async () => (await site.version('manager', 'v1')) === undefined, { within: 60_000 });
    const { versions } = await site.service('manager');
    expect(versions.find(({ name }) => name === 'v1')?.state ?? VERSION_STATE.Retired).toBe(
      VERSION_STATE.Retired,
    );
    // What Switchyard does with instances that it runs: a stream lives as long as the instance.
    await Promise.all([managers.v1.stop(), managers.other.stop()]);
    await eventually(() => delegates.v1.health().versionNotActive, {
      within: 60_000,
      what: 'the refusal of v1',
    });
    // Nothing is open on it, so a drain ends it although nobody can be reached.
    delegates.v1.drain();
    await delegates.v1.ended;
  });
});
