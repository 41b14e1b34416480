/**
 * What happens in the demo, act by act. The routes that each act leaves behind are noted, so that the judge knows what
 * was right at every moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { adminClient } from '../../src/admin/client.ts';
import { eventually } from '../../test/support/eventually.ts';
import { resourceVersions } from '../../test/support/system/gateway.ts';
import type { Stage } from '../../test/support/traffic/history.ts';
import { STREAM_FACES } from '../../test/support/traffic/samples.ts';
import type { Traffic } from '../../test/support/traffic/traffic.ts';
import type { Operator } from './operator.ts';
import type { Deeds } from './report.ts';
import type { Screen } from './screen.ts';
import type { World } from './world.ts';

/** Time for the audience, and for the traffic to show what an act has done. */
const LOOK_MS = 2500;
const MEASURED_ROUNDS = 25;
const BETWEEN_ROUNDS_MS = 100;

const BOTH = ['v1', 'v2'];

export const BEFORE_V2: Stage = { from: 'v1', to: 'v1', weight: 100, active: ['v1'] };
const TO_V2 = (weight: number): Stage => ({ from: 'v1', to: 'v2', weight, active: BOTH });
const BACK_TO_V1: Stage = { from: 'v2', to: 'v1', weight: 100, active: BOTH };

export interface Cast {
  readonly world: World;
  readonly screen: Screen;
  readonly operator: Operator;
  readonly traffic: Traffic;
}

/** Starts the controller, v1 and the gateway; no traffic yet. */
export async function raiseTheCurtain(
  { world, screen }: Pick<Cast, 'world' | 'screen'>,
  operator: Operator,
): Promise<void> {
  screen.act('A controller, and a service "manager" in version v1 with two instances');
  await world.startController();
  screen.say(`the controller runs as process ${world.controller.pid}`);
  await operator.order('apply', '-f', world.document('v1'));
  await world.startGateway();
  await operator.order('status', 'manager');
  await eventually(async () => (await fetch(world.url)).ok, { what: 'an answer through the gateway' });
  screen.say(`an Envoy gateway takes requests at ${world.url}`);
}

/** Everything that happens under traffic. */
export async function play(cast: Cast): Promise<Deeds> {
  const { screen, operator, traffic } = cast;
  screen.act('Clients: tenants, clients pinned to a version, streams that stay open');
  openStreams(traffic);
  openStreams(traffic, 'v1');
  traffic.start();
  await sleep(LOOK_MS);
  await bringUpV2(cast);

  screen.act('Default traffic moves to v2: 10 percent of the tenants, half of them, all');
  for (const weight of [10, 50]) {
    await operator.change({ stage: TO_V2(weight) }, 'set-weight', 'manager', 'v2', String(weight));
    await sleep(LOOK_MS);
  }
  await operator.change({ stage: TO_V2(100), servedBy: 'v2' }, 'flip', 'manager', 'v2');
  openStreams(traffic);
  await sleep(LOOK_MS);

  screen.act('Something is wrong with v2? Back, in one flip');
  await operator.change({ stage: BACK_TO_V1, servedBy: 'v1' }, 'rollback', 'manager');
  await sleep(LOOK_MS);

  screen.act('Forward again. Half way, the controller is killed with -9');
  await operator.change({ stage: TO_V2(50) }, 'set-weight', 'manager', 'v2', '50');
  await killTheController(cast);
  await operator.change({ stage: TO_V2(100), servedBy: 'v2' }, 'flip', 'manager', 'v2');
  await sleep(LOOK_MS);

  const { flipTimes, rollbackTimes } = await measure(cast);
  await retireV1(cast);
  return {
    flips: 2 + flipTimes.length,
    rollbacks: 1 + rollbackTimes.length,
    flipTimes,
    rollbackTimes,
    controllerKills: 1,
  };
}

function openStreams(traffic: Traffic, pin?: string): void {
  for (const face of STREAM_FACES) traffic.openStream({ face, ...(pin === undefined ? {} : { pin }) });
}

async function bringUpV2({ world, screen, operator, traffic }: Cast): Promise<void> {
  screen.act('Version v2 comes up beside v1; only clients that name it reach it');
  await operator.carryOut({ stage: { ...BEFORE_V2, active: BOTH } }, async () => {
    await operator.order('apply', '-f', world.document('v2'));
    await operator.order('status', 'manager');
    await eventually(async () => (await fetch(world.url, { headers: { 'x-delegate-version': 'v2' } })).ok, {
      what: 'an answer of v2 to a pinned request',
    });
  });
  openStreams(traffic, 'v2');
  await sleep(LOOK_MS);
}

async function killTheController({ world, screen }: Cast): Promise<void> {
  const table = async () => (await world.run(['get', 'table'])).stdout;
  const [tableBefore, gatewayBefore] = [await table(), await resourceVersions(world.gateway)];
  const pid = world.controller.pid;
  await world.killController();
  screen.say(`kill -9 ${pid}: there is no controller now; the traffic goes on`);
  await sleep(LOOK_MS);
  await world.startController();
  await eventually(async () => isConnected(world), { what: 'the gateway at the new controller' });
  screen.say(`a new controller runs as process ${world.controller.pid}`);
  if ((await table()) !== tableBefore) throw new Error('the routing table changed over the restart');
  if ((await resourceVersions(world.gateway)) !== gatewayBefore)
    throw new Error('the gateway saw a change over the restart');
  screen.say('its routing table is the same; the gateway was sent nothing new');
}

async function isConnected(world: World): Promise<boolean> {
  const client = adminClient(world.controller.server);
  try {
    const { proxies } = await client.call('listProxies', {}, new Date(Date.now() + 2000));
    return proxies.some(({ connected, inSync }) => connected && inSync);
  } finally {
    client.close();
  }
}

async function measure({ screen, operator }: Cast): Promise<Pick<Deeds, 'flipTimes' | 'rollbackTimes'>> {
  screen.act(
    `How long does a flip take? ${MEASURED_ROUNDS} rollbacks and ${MEASURED_ROUNDS} flips by the admin API`,
  );
  const flipTimes: number[] = [];
  const rollbackTimes: number[] = [];
  for (let round = 0; round < MEASURED_ROUNDS; round += 1) {
    rollbackTimes.push(await operator.call({ stage: BACK_TO_V1, servedBy: 'v1' }, 'rollback', 'v1'));
    await sleep(BETWEEN_ROUNDS_MS);
    flipTimes.push(await operator.call({ stage: TO_V2(100), servedBy: 'v2' }, 'flip', 'v2'));
    await sleep(BETWEEN_ROUNDS_MS);
  }
  const list = (times: readonly number[]) => times.map((time) => time.toFixed(0)).join(' ');
  screen.say(`rollbacks, ms: ${list(rollbackTimes)}`);
  screen.say(`flips, ms:     ${list(flipTimes)}`);
  return { flipTimes, rollbackTimes };
}

async function retireV1({ world, screen, operator, traffic }: Cast): Promise<void> {
  const onV1 = () => traffic.streams().filter(({ version }) => version === 'v1');
  const retire = ['retire', 'manager', 'v1', '--give-up-rollback', '--yes'];

  screen.act('v1 has done its work. Retire it? Not while something is open on it');
  const { exitCode } = await operator.type(...retire);
  if (exitCode === 0) throw new Error('v1 was retired although work is open on it');
  await sleep(LOOK_MS);

  screen.act('So v1 is drained: no new work; its clients hear of it and finish');
  const open = onV1().length;
  await operator.order('drain', 'manager', 'v1', '--give-up-rollback');
  await eventually(() => onV1().every(({ draining }) => draining), {
    what: 'word of the drain on every stream',
  });
  screen.say(`${open} streams on v1 were told that it drains`);
  await eventually(() => onV1().length === 0, { what: 'the end of the streams on v1', within: 30_000 });
  screen.say('their clients have ended all of them themselves');
  await eventually(() => isDrained(world), { what: 'a count of zero behind the fence', within: 30_000 });

  screen.act('Now v1 can go: routes first, then its cluster, then its instances');
  await operator.change({ stage: { from: 'v2', to: 'v2', weight: 100, active: ['v2'] } }, ...retire);
  await eventually(() => isGone(world), { what: 'the end of v1', within: 60_000 });
  await operator.order('get', 'versions');
  screen.say('requests pinned to v1 are refused from here on');
  await sleep(LOOK_MS);
}

async function isDrained(world: World): Promise<boolean> {
  const { stdout } = await world.run(['get', 'versions', 'manager']);
  return stdout.split('\n').some((line) => /\bv1\b/.test(line) && line.includes('Drained'));
}

async function isGone(world: World): Promise<boolean> {
  const { exitCode, stdout } = await world.run(['get', 'versions', 'manager']);
  return (
    exitCode === 0 && !stdout.split('\n').some((line) => /\bv1\b/.test(line) && !line.includes('Retired'))
  );
}
