/**
 * A gateway that is rolled while executions run: the next Pod is up, new connections go to it, and the old one drains and ends.
 * Delegates whose streams outlive the drain connect again, with their tasks; what customers ask is answered.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type GatewayPod, startGatewayPod } from '../support/kubernetes/gateway-pod.ts';
import { Relay } from '../support/system/relay.ts';
import { useSite } from '../support/system/site.ts';
import { ExampleSite } from '../support/workflow/example-site.ts';
import { Customer } from '../support/workflow/manager-api.ts';

const WITHIN = 60_000;
const LETTERS = ['a', 'b'] as const;
type Letter = (typeof LETTERS)[number];

let examples: ExampleSite;
const ports: Record<Letter, number> = { a: 0, b: 0 };

const theSite = useSite(async (site) => {
  await site.start([]);
  for (const letter of LETTERS) ports[letter] = await freePort();
  examples = await ExampleSite.open();
  site.defer(() => examples.close());
  const managers = [await examples.manager({ version: 'v1' }), await examples.manager({ version: 'v1' })];
  await site.apply({
    name: 'manager',
    version: 'v1',
    listeners: LETTERS.map((name) => ({ name, port: ports[name] })),
    runtime: {
      endpoints: {
        versions: [{ name: 'v1', addresses: managers.map(({ port }) => `127.0.0.1:${port}`) }],
      },
    },
    more: { drain: { workflow: {} } },
  });
});

async function startPod(letter: Letter): Promise<GatewayPod> {
  const site = theSite();
  const folder = join(site.folder, `gateway-${letter}`);
  mkdirSync(folder);
  const { xdsPort } = site.controller;
  const pod = await startGatewayPod({
    folder,
    name: `gateway-${letter}`,
    xdsPort,
    drainTime: 1,
    listener: letter,
  });
  site.defer(() => pod.stop());
  await eventually(async () => (await pod.stats('/ready'))?.status === 200, {
    what: `gateway ${letter}`,
    within: WITHIN,
  });
  return pod;
}

test('delegates go on at the next Pod with the tasks that they have, none is lost or done twice, and no request fails', async () => {
  const site = theSite();
  const before = await startPod('a');
  // As the Service leads: connections that are open stay where they are.
  const service = await Relay.to(ports.a);
  site.defer(() => service.close());
  const delegates = [
    await examples.connected({ port: service.port, box: 'box-1' }),
    await examples.connected({ port: service.port, box: 'box-2' }),
  ];
  const customer = new Customer(service.port);
  const done = join(site.folder, 'done');
  const begin = (name: string, seconds: number): Promise<string> =>
    customer.start(
      `pipeline: p\nsteps: [{ name: work, shell: "sleep ${seconds}; echo ${name} >> ${done}" }]`,
    );

  // What outlives the drain; and a customer who asks all the time.
  const ids = await Promise.all(['long-1', 'long-2', 'long-3'].map((name) => begin(name, 8)));
  await eventually(
    async () => {
      const shown = await Promise.all(ids.map((id) => customer.show(id)));
      return shown.every(({ openTasks }) => openTasks.some(({ delegate }) => delegate !== undefined));
    },
    { what: 'long tasks at their delegates', within: WITHIN },
  );
  const enough = new AbortController();
  const asking = (async () => {
    for (let count = 0; !enough.signal.aborted; count += 1) ids.push(await begin(`short-${count}`, 0.1));
  })();

  const after = await startPod('b');
  service.redirect(ports.b);
  const drain = await before.preStop({ drainSeconds: 4 });
  expect(await drain.ended).toBe('code 0');
  // By the streams of the delegates, which say nothing that could be answered with a request to go.
  expect(before.drainLog()).toMatch(/, [1-9]\d* connections left$/m);
  before.envoy.signal('SIGTERM');
  expect(await before.envoy.ended).toBe('code 0');

  await eventually(() => delegates.every((delegate) => delegate.health().ready), {
    what: 'delegates at the next Pod',
    within: WITHIN,
  });
  const atTheNext = ids.length;
  await eventually(() => ids.length > atTheNext + 5, {
    what: 'executions through the next Pod',
    within: WITHIN,
  });
  enough.abort();
  await asking;
  for (const id of ids) {
    expect(await customer.ended(id, WITHIN)).toMatchObject({ state: 'Succeeded', version: 'v1' });
  }
  const names = readFileSync(done, 'utf8').trim().split('\n');
  expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  expect(names).toHaveLength(ids.length);
  expect(await after.isAlive()).toBe(true);
});
