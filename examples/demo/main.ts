/**
 * `npm run demo`: shows Switchyard's main job on a real Envoy and a real Prometheus in a minute or so, under traffic that
 * is judged answer by answer. `-- --keep` leaves everything running afterwards; `-- --report FILE` writes the report as JSON. The exit
 * status is 1 when anything was failed, misrouted, cut or moved wrongly, or when a rollout did not
 * end as it should.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { findTool } from '../../scripts/tools.ts';
import { envoyVersion } from '../../test/support/envoy.ts';
import { History } from '../../test/support/traffic/history.ts';
import { judge, shareTouchedBy } from '../../test/support/traffic/judge.ts';
import { Probe } from '../../test/support/traffic/probe.ts';
import { Traffic, type TrafficProgress } from '../../test/support/traffic/traffic.ts';
import { raiseTheCurtain, type Vendor } from './curtain.ts';
import { judgeExecutions } from './executions.ts';
import { untilInterrupted } from './interrupted.ts';
import { Operator } from './operator.ts';
import { Pipelines, type PipelinesProgress } from './pipelines.ts';
import { complaints, type DemoReport, makeReport, reportLines } from './report.ts';
import { Screen } from './screen.ts';
import { BAD_VERSION } from './spec.ts';
import { BEFORE_V2, play } from './story.ts';
import { Teardowns } from './teardowns.ts';
import { World } from './world.ts';

const ENTRANCE = 'gateway';
const REQUESTS_PER_SECOND = 150;

interface Options {
  readonly keep: boolean;
  readonly report: string | undefined;
}

const USAGE = 'usage: npm run demo -- [--keep] [--report FILE]';

/** What was asked for, or what is wrong with it. */
function readOptions(): Options | string {
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'boolean', default: false }, report: { type: 'string' } },
    });
    return { keep: values.keep, report: values.report };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}

/** The whole story, judged; and who could release another version. */
async function run(
  world: World,
  screen: Screen,
): Promise<{ readonly report: DemoReport; readonly vendor: Vendor }> {
  const history = new History(BEFORE_V2);
  const operator = new Operator({ world, screen, history });
  const vendor = await raiseTheCurtain({ world, screen }, operator);
  const traffic = new Traffic({
    entrance: ENTRANCE,
    address: world.gatewayAddress,
    requestsPerSecond: REQUESTS_PER_SECOND,
    // Pins to v4 give its checks enough to judge while it has a tenth of the tenants.
    mix: { tenants: 100, pins: ['v1', 'v2', 'v4'], unknownPins: ['v9', 'V1', 'v1,v2'], slowMs: 400 },
    habits: { tickMs: 500, silenceMs: 10_000, finishMs: 1500 },
  });
  const pipelines = new Pipelines(world.url);
  const probe = new Probe(world.gatewayAddress, '/healthz');
  const teardowns = new Teardowns({ world, screen, history, probe });
  screen.follow(() => statusLine(traffic.progress(), pipelines.progress()));
  const deeds = await play({ world, screen, operator, traffic, pipelines, teardowns, vendor });
  screen.act('Nobody starts pipelines any more; those that run end');
  await pipelines.settled();
  screen.act('The judge looks at every answer, and at the history of every execution');
  screen.unfollow();
  teardowns.close();
  operator.close();
  probe.close();
  const evidence = await traffic.stop();
  const badVersions = [BAD_VERSION];
  const verdict = judge({ ...evidence, histories: new Map([[ENTRANCE, history]]), badVersions });
  const executions = judgeExecutions({
    content: await world.store.content(),
    told: pipelines.told,
    notBegun: pipelines.faults,
    boxes: new Map(world.boxes.all.map(({ name, tenant }) => [name, tenant])),
    takenAway: teardowns.takenAway,
  });
  for (const fault of [...verdict.faults, ...executions.faults]) screen.say(fault);
  screen.say(`executions by version: ${counts(executions.byVersion)}`);
  const { made, atParity } = operator.moves;
  const report = makeReport({
    verdict,
    badVersionShare: shareTouchedBy(badVersions, evidence.exchanges),
    executions: executions.report,
    parity: { boxes: world.boxes.all.length, moves: made, movesAtParity: atParity },
    deeds,
    envoy: envoyVersion(),
    prometheus: await world.prometheusVersion(),
  });
  screen.print(['', ...reportLines(report), '']);
  return { report, vendor };
}

function statusLine(requests: TrafficProgress, { started, running }: PipelinesProgress): string {
  if (requests.requests === 0) return '';
  const total = requests.recent.values().reduce((sum, count) => sum + count, 0);
  const shares = [...requests.recent].map(
    ([version, count]) => `${version} ${Math.round((100 * count) / Math.max(1, total))}%`,
  );
  return [
    `${requests.requests} requests ${requests.failed} failed`,
    shares.join(' '),
    `${started} executions, open: ${counts(running)}`,
  ].join(' | ');
}

function counts(byVersion: ReadonlyMap<string, number>): string {
  return [...byVersion].map(([version, count]) => `${version} ${count}`).join(' ');
}

function invite(world: World, screen: Screen): void {
  const next = world.document('v5');
  const [box] = world.boxes.all;
  screen.print([
    'Still running; Ctrl-C stops it and cleans up. In another terminal, for example:',
    '',
    `  curl ${world.url}/`,
    `  curl -i -H 'x-delegate-version: v9' ${world.url}/`,
    `  export SWITCHYARD_SERVER=${world.controller.server}`,
    `  export SWITCHYARD_MANAGER=${world.url}`,
    '  bin/switchyard execution start sleep --tenant acme --input \'{"seconds": 60}\'',
    '  bin/switchyard get executions --tenant acme --limit 10',
    '  bin/switchyard get delegates manager',
    '  bin/switchyard delegates history manager',
    `  bin/switchyard watcher status --config ${box?.config}`,
    '  bin/switchyard report manager',
    '  bin/switchyard get measurements manager',
    `  bin/switchyard apply -f ${next}   # v5`,
    '  bin/switchyard get rollout manager -w',
    '  bin/switchyard rollback manager',
    '  bin/switchyard get services',
    '  bin/switchyard get proxies',
    "  bin/switchyard explain --host 127.0.0.1 -H 'x-delegate-version: v4'",
    '  bin/switchyard get events',
    '',
    `  Envoy's own interface: ${world.gateway.admin}`,
    `  Prometheus:            ${world.prometheus.url}`,
    '',
    '(Nobody sends requests any more: without them a rollout finds no data, and waits.)',
  ]);
}

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  for (const name of ['envoy', 'prometheus'] as const) {
    const tool = findTool(name);
    if (tool.kind === 'found') continue;
    console.error(`the demo needs a real ${name}: ${tool.why}`);
    return 1;
  }
  const interrupted = untilInterrupted();
  interrupted.catch(() => {});
  const screen = new Screen();
  const world = await World.prepare();
  try {
    const { report, vendor } = await Promise.race([run(world, screen), interrupted]);
    if (options.report !== undefined) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
    const wrong = complaints(report);
    for (const line of wrong) console.error(`wrong: ${line}`);
    if (options.keep) {
      screen.act('v5 is made, for whoever wants to try it');
      await Promise.race([vendor.release('v5'), interrupted]);
      invite(world, screen);
      await interrupted.catch(() => {});
    }
    return wrong.length === 0 ? 0 : 1;
  } catch (error) {
    screen.end();
    console.error(`\nthe demo broke off: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await world.close();
  }
}

// Clients of a broken demo may still hold sockets; nothing may keep the process from ending.
process.exit(await main());
