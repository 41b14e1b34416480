/** Before the traffic: what runs at the beginning is started, and the first release of the delegate is made and signed. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../test/support/eventually.ts';
import { DelegateReleases } from '../../test/support/executions/delegate-releases.ts';
import type { Operator } from './operator.ts';
import type { Screen } from './screen.ts';
import { SERVICE } from './spec.ts';
import type { World } from './world.ts';

const DELEGATES_WITHIN_MS = 60_000;

/** Who releases delegates: it has the key that signs them. */
export interface Vendor {
  /** Makes, signs and publishes a release, and tells the controller where boxes find it. */
  release(version: string): Promise<void>;
}

/** Starts the controller, v1, the gateway, Prometheus and the boxes; no traffic yet. */
export async function raiseTheCurtain(
  { world, screen }: { readonly world: World; readonly screen: Screen },
  operator: Operator,
): Promise<Vendor> {
  screen.act('A controller, and a service "manager" in version v1 with two instances');
  await world.startController();
  screen.say(`the controller runs as process ${world.controller.pid}`);
  await world.startGateway();
  await world.startPrometheus();
  await operator.order('apply', '-f', world.document('v1'));
  await operator.order('status', SERVICE);
  await eventually(async () => (await fetch(world.url)).ok, { what: 'an answer through the gateway' });
  screen.say(`an Envoy gateway takes requests at ${world.url}`);
  screen.say(`a Prometheus at ${world.prometheus.url} scrapes Envoy and the controller`);
  screen.say('the managers keep executions in one SQLite file');

  screen.act(
    'The delegate that does the work at customers: a release, signed with a key that no controller has',
  );
  const releases = await DelegateReleases.prepare(join(world.folder, 'releases'), (...args) =>
    operator.quietly(...args),
  );
  const vendor: Vendor = {
    async release(version) {
      const { url } = await releases.publish(SERVICE, version);
      await operator.order('delegates', 'publish', `${fileURLToPath(url)}.manifest.json`);
    },
  };
  await vendor.release('v1');

  screen.act('Two tenants with two boxes each; a watcher on every box starts the delegates');
  await world.startBoxes(releases.publicKeyFile);
  await eventually(async () => (await world.missingAt('v1')).length === 0, {
    what: 'a delegate of v1 on every box',
    within: DELEGATES_WITHIN_MS,
    every: 100,
  }).catch(async (error: unknown) => {
    const missing = await world.missingAt('v1');
    const said = world.boxes.all.filter(({ name }) => missing.includes(name)).map((box) => box.lastLines());
    throw new Error(`${String(error)}\n${said.join('\n')}`);
  });
  for (const { name, tenant } of world.boxes.all) {
    screen.say(`${name} of ${tenant}: fetched, signature checked, started; its delegate is connected`);
  }
  await operator.type('get', 'delegates', SERVICE);
  return vendor;
}
