/**
 * The controller goes away and comes back, with the same state, with none, with a damaged one, or with a backup: what
 * connected Envoys hold changes only where an operator changed something (rules 6 and 7).
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import type { ServiceDocument } from '../support/system/documents.ts';
import { heldVersions, updateCounters } from '../support/system/held.ts';
import { type Load, steady, UNHURT } from '../support/system/load.ts';
import { type Site, useSite } from '../support/system/site.ts';

const BOTH = ['v1', 'v2'];

/** One proxy for each dialect, each with a listener of its own. */
let envoys: readonly { readonly envoy: Envoy; readonly port: number }[];
let manager: ServiceDocument;

const theSite = useSite(async (opened) => {
  const [gateway, outbound] = [await freePort(), await freePort()];
  const addresses = await Promise.all(
    BOTH.map(async (name) => ({
      name,
      addresses: await Promise.all(
        [0, 1].map(async (index) => (await opened.manager(name, `${name}-${index}`)).address),
      ),
    })),
  );
  manager = {
    name: 'manager',
    version: 'v1',
    listeners: [
      { name: 'gateway', port: gateway },
      { name: 'outbound', port: outbound },
    ],
    runtime: { endpoints: { versions: addresses } },
  };
  await opened.start();
  const sotw = await opened.gateway({ name: 'gateway', listeners: ['gateway'] });
  const delta = await opened.gateway({ name: 'outbound', listeners: ['outbound'], protocol: 'delta' });
  envoys = [
    { envoy: sotw, port: gateway },
    { envoy: delta, port: outbound },
  ];
  await applyBoth(opened);
  await opened.inSync('gateway', 'outbound');
});
let site: Site;
beforeEach(() => {
  site = theSite();
});

describe('a controller that comes back with the state that it had', () => {
  it.each([
    { how: 'kill -9', leave: () => site.controller.kill() },
    { how: 'SIGTERM', leave: () => site.controller.stop() },
  ])('after $how changes nothing on connected proxies, and streams live on', async ({ leave }) => {
    const loads = await startLoads();
    const before = await look();
    await leave();
    await goOn(loads);
    await site.controller.start();
    await site.inSync('gateway', 'outbound');
    await goOn(loads);
    const after = await look();
    expect(after.map(({ held, changes }) => ({ held, changes }))).toEqual(
      before.map(({ held, changes }) => ({ held, changes })),
    );
    // Whoever reconnects is answered once for each type, with the versions that it has.
    for (const [index, { answers }] of after.entries()) {
      const rises = Object.entries(answers).map(
        ([name, count]) => count - (before[index]?.answers[name] ?? 0),
      );
      expect(rises.filter((rise) => rise > 1)).toEqual([]);
    }
    await expectUnhurt(loads);
  });
});

describe('a controller whose state is gone', () => {
  it('tells proxies nothing and says so, until something is applied; what they hold serves on', async () => {
    const loads = await startLoads(['v1']);
    const before = await look();
    await site.controller.kill();
    await rename(site.controller.dataDir, join(site.folder, 'lost'));
    await site.controller.start();
    expect(await site.ok('version')).toMatch(
      /^controller .*, AwaitingApply \(nothing was ever applied, so proxies get no answer until `apply` or a start with --accept-empty\)$/m,
    );
    await haveTried();
    await goOn(loads);
    expect((await look()).map(({ held, changes }) => ({ held, changes }))).toEqual(
      before.map(({ held, changes }) => ({ held, changes })),
    );

    await applyBoth(site);
    await site.inSync('gateway', 'outbound');
    await goOn(loads);
    for (const [index, { held }] of (await look()).entries()) {
      const { name } = manager.listeners[index] ?? { name: '' };
      const listener = `listeners/${name}`;
      expect(held[listener]).toBe(before[index]?.held[listener]);
      expect(Object.keys(held)).toEqual(Object.keys(before[index]?.held ?? {}));
    }
    expect(await site.ok('version')).toMatch(/^controller .*, Ready$/m);
    await expectUnhurt(loads);
  });

  it('shows the empty state where an operator said so, with --accept-empty', async () => {
    await site.controller.kill();
    await rename(site.controller.dataDir, join(site.folder, 'lost-again'));
    await site.controller.start(['--accept-empty']);
    expect(await site.ok('version')).toMatch(/^controller .*, Ready$/m);
    // The streams of before may still end in peace: Envoy drains the listeners, and their routes and clusters stay as long.
    await eventually(
      async () => (await look()).every(({ held }) => !Object.keys(held).join().includes('listeners/')),
      { what: 'proxies without listeners', within: 30_000 },
    );
    await applyBoth(site);
    await site.inSync('gateway', 'outbound');
    await expectUnhurt(await startLoads());
  });
});

describe('a state file that is damaged', () => {
  it('is refused with a way out and not changed; proxies serve on, also when it is replaced', async () => {
    const loads = await startLoads();
    const before = await look();
    await site.controller.stop();
    const file = join(site.controller.dataDir, 'state.db');
    const good = await readFile(file);
    const damaged = withOtherText(good, 'VersionedService', 'versionedService');
    await writeFile(file, damaged);

    await expect(site.controller.start()).rejects.toThrow(
      /ended \(code 1\)[^]*state\.db is damaged[^]*It was left as it is\..*switchyard restore BACKUP/,
    );
    expect((await readFile(file)).equals(damaged)).toBe(true);
    await goOn(loads);
    expect((await look()).map(({ held }) => held)).toEqual(before.map(({ held }) => held));

    await writeFile(file, good);
    await site.controller.start();
    await site.inSync('gateway', 'outbound');
    expect((await look()).map(({ held }) => held)).toEqual(before.map(({ held }) => held));
    await expectUnhurt(loads);
  });
});

describe('a backup that is taken while the controller serves', () => {
  it('brings its table back, and proxies follow', async () => {
    const loads = await startLoads();
    const backup = join(site.folder, 'backup.db');
    const saved = await table();
    await site.ok('backup', backup);

    const flips = loads.map((load) => load.begin({ from: 'v1', to: 'v2', weight: 100, active: BOTH }));
    await site.ok('flip', 'manager', 'v2');
    for (const [index, flip] of flips.entries()) flip.converged((await loads[index]?.servedBy('v2')) ?? 0);
    await goOn(loads);
    expect(await table()).not.toBe(saved);

    await site.controller.stop();
    const backs = loads.map((load) => load.begin({ from: 'v2', to: 'v1', weight: 100, active: BOTH }));
    await site.ok('restore', backup, `--data-dir=${site.controller.dataDir}`, '--yes');
    await site.controller.start();
    await site.inSync('gateway', 'outbound');
    for (const [index, back] of backs.entries()) back.converged((await loads[index]?.servedBy('v1')) ?? 0);
    expect(await table()).toBe(saved);
    await goOn(loads);
    await expectUnhurt(loads);
  });
});

/** Both versions are active, and the first is primary. */
async function applyBoth(at: Site): Promise<void> {
  await at.apply(manager);
  await at.apply({ ...manager, version: 'v2' });
}

/** The same bytes but for a text, wherever it stands: one bit is another one, as on a bad disk. */
function withOtherText(bytes: Buffer, text: string, other: string): Buffer {
  const changed = Buffer.from(bytes.toString('latin1').replaceAll(text, other), 'latin1');
  if (changed.equals(bytes)) throw new Error(`the file does not hold ${text}`);
  return changed;
}

async function table(): Promise<string> {
  return (await site.call('getTable', {})).json;
}

/** Constant traffic and streams of every kind through each proxy; v1 is primary. */
function startLoads(pins: readonly string[] = BOTH): Promise<Load[]> {
  return Promise.all(
    envoys.map(({ port }) =>
      site.load({
        address: { host: '127.0.0.1', port },
        requestsPerSecond: 30,
        first: steady('v1', pins),
        streamPins: pins,
      }),
    ),
  );
}

async function goOn(loads: readonly Load[]): Promise<void> {
  await Promise.all(loads.map((load) => load.goOn()));
}

async function expectUnhurt(loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    const verdict = await load.stop();
    expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
    expect(verdict.streamsOpened).toBeGreaterThan(0);
  }
}

/** What each proxy holds, what it counted of changes, and how many answers it had. */
function look() {
  return Promise.all(
    envoys.map(async ({ envoy }) => {
      const counters = Object.entries(await updateCounters(envoy));
      return {
        held: await heldVersions(envoy),
        changes: Object.fromEntries(
          counters.filter(([name]) => !/update_(attempt|failure|success)$/.test(name)),
        ),
        answers: Object.fromEntries(counters.filter(([name]) => name.endsWith('update_success'))),
      };
    }),
  );
}

/** Resolves when each proxy has asked the controller that runs now, and had no answer. */
async function haveTried(): Promise<void> {
  const failures = () =>
    Promise.all(envoys.map(({ envoy }) => envoy.stat('cluster_manager.cds.update_failure')));
  const before = await failures();
  await eventually(async () => (await failures()).every((count, index) => count > (before[index] ?? 0)), {
    what: 'another try of every proxy',
    within: 30_000,
  });
}
