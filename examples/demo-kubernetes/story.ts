/** What happens in the demo on Kubernetes, act by act, and what is noted of it for the judge. */
import { setTimeout as sleep } from 'node:timers/promises';
import { envoyVersion } from '../../test/support/envoy.ts';
import type { Installation } from '../../test/support/kubernetes/system/installation.ts';
import {
  SERVICE,
  SLOW_VERSION,
  verified,
  type Wish,
} from '../../test/support/kubernetes/system/manager-object.ts';
import { type Judged, WatchedTraffic } from '../../test/support/kubernetes/system/watched-traffic.ts';
import type { Verdict } from '../../test/support/traffic/judge.ts';
import { commandLines, type Screen } from '../demo/screen.ts';
import type { End, KubernetesReport, Led } from './report.ts';
import type { World } from './world.ts';

/** Through each Envoy. */
const REQUESTS_PER_SECOND = 60;
/** Time for the audience, and for the traffic to show what an act has done. */
const LOOK_MS = 2_000;
const LINES_SHOWN = 8;
const INDENT = '       ';
const ROLLOUT_COLUMNS = 'custom-columns=VERSION:.spec.version,STATE:.status.state';

interface Cast {
  readonly world: World;
  readonly screen: Screen;
  readonly installation: Installation;
}

/** Everything, from the first process to the judge. */
export async function play({ world, screen }: Omit<Cast, 'installation'>): Promise<KubernetesReport> {
  const startedAt = performance.now();
  screen.act(
    'A Kubernetes control plane: etcd, an API server, its controller manager, in a network of its own',
  );
  const { api, server } = await world.startCluster();
  screen.say(`the API server is at ${server}`);

  screen.act('Three replicas of the controller, each a process; the one that holds the Lease decides');
  const installation = await world.startInstallation(api);
  const cast = { world, screen, installation };
  const led: Led[] = [];
  const noteLeader = async (): Promise<void> => {
    const { process } = await installation.replicas.leader();
    if (led.at(-1)?.replica === process.name) return;
    led.push({ replica: process.name, since: (performance.now() - startedAt) / 1_000 });
    screen.say(`${process.name} leads`);
  };
  await noteLeader();

  screen.act('A service "manager" in version v1, in two Pods, and two Envoys at two replicas');
  await apply(cast, { version: 'v1' });
  await kubectl(cast, 'wait', '--for=condition=Ready', `vsvc/${SERVICE}`, '--timeout=60s');
  const entrances = await world.start(() => installation.startGateways());
  const prometheus = await world.startPrometheus(entrances);
  for (const { name, address } of entrances) {
    screen.say(`${name} takes requests at http://${address.host}:${address.port}`);
  }

  screen.act('Clients: tenants, clients pinned to a version, streams that stay open, through both Envoys');
  const traffic = await world.start(() =>
    WatchedTraffic.start({
      entrances,
      requestsPerSecond: REQUESTS_PER_SECOND,
      first: { from: 'v1', to: 'v1', weight: 100, active: ['v1'] },
      pins: ['v1', 'v2', 'v4'],
      streamPins: ['v1'],
    }),
  );
  screen.follow(() => statusLine(traffic));
  await sleep(LOOK_MS);

  const rollouts: End[] = [];
  const active = ['v1'];
  const rollOut = async (version: string, deeds: Readonly<Record<string, () => Promise<void>>> = {}) => {
    const baseline = traffic.history.current.to;
    active.push(version);
    const wish = { version, more: verified(prometheus) };
    const { outcome, because } = await traffic.follow(
      installation,
      { version, baseline, active: [...active], order: () => apply(cast, wish), atStep: deeds },
      screen,
    );
    rollouts.push({ version, outcome, because });
    await installation.rollout(version, outcome);
    await kubectl(cast, 'get', 'rollouts', '-o', ROLLOUT_COLUMNS);
  };

  screen.act(
    'A good version: probed, a tenth of the tenants, half of them, all of them, watched a while longer',
  );
  await rollOut('v2');

  screen.act(`A bad version: ${SLOW_VERSION} answers, but takes two seconds to do so`);
  traffic.history.leave({ version: SLOW_VERSION, at: performance.now() });
  await rollOut(SLOW_VERSION);
  screen.say(`the tenants that ${SLOW_VERSION} had are back at v2, and nobody had to do anything`);

  screen.act('Another good version, and in the middle of it the replica that leads is killed with -9');
  await rollOut('v4', {
    'Shift-10': async () => {
      await killLeader(cast, traffic);
      await noteLeader();
    },
  });

  screen.act('An operator goes back to v2, with nothing but kubectl');
  const stage = { from: 'v4', to: 'v2', weight: 100, active: [...active] };
  await traffic.move(stage, () => rollback(cast));
  await installation.rollout('v4', 'RolledBack');
  rollouts.push({ version: 'v4', outcome: 'RolledBack', because: 'an order by annotation' });
  await kubectl(cast, 'get', 'rollouts', '-o', ROLLOUT_COLUMNS);
  await installation.inSync();
  await sleep(LOOK_MS);

  screen.act('The judge looks at every answer');
  screen.unfollow();
  const verdict = await traffic.stop();
  for (const fault of verdict.faults) screen.say(fault);
  return { ...counted(verdict), rollouts, led, leadersKilled: 1, envoy: envoyVersion() };
}

/** What the judge counted, without the records. */
function counted(verdict: Judged): Omit<Verdict, 'faults'> {
  const { requests, failed, misrouted, refusedExpected, refusedSeen } = verdict;
  const { streamsOpened, streamsCut, tenantsMovedWrongly } = verdict;
  return {
    requests,
    failed,
    misrouted,
    refusedExpected,
    refusedSeen,
    streamsOpened,
    streamsCut,
    tenantsMovedWrongly,
  };
}

async function apply(cast: Cast, wish: Wish): Promise<void> {
  await kubectl(cast, 'apply', '--server-side', '-f', cast.world.manifest(cast.installation, wish));
}

async function rollback(cast: Cast): Promise<void> {
  const order = `switchyard.dev/order=rollback ${Date.now()}`;
  await kubectl(cast, 'annotate', '--overwrite', `vsvc/${SERVICE}`, order);
}

async function killLeader(
  { installation: { replicas }, screen }: Cast,
  traffic: WatchedTraffic,
): Promise<void> {
  const leader = await replicas.leader();
  await leader.process.kill();
  screen.say(`${leader.process.name} is gone; the others serve on, and wait until its Lease is over`);
  const since = performance.now();
  await replicas.leader({ not: leader });
  const seconds = ((performance.now() - since) / 1_000).toFixed(1);
  screen.say(`another one leads after ${seconds} s, and goes on from what is recorded`);
  await traffic.goOn();
  await replicas.restart(leader);
  screen.say(`${leader.process.name} is started again, and follows`);
}

/** Runs a command that must succeed, shows it and the beginning of what it said. */
async function kubectl({ world, screen, installation }: Cast, ...args: readonly string[]): Promise<void> {
  const shown = (text: string) => text.replaceAll(`${installation.folder}/`, '');
  screen.print(commandLines(['kubectl', ...args.map(shown)], INDENT));
  const { exitCode, text } = await world.kubectl(...args);
  for (const line of shown(text).trimEnd().split('\n').slice(0, LINES_SHOWN)) screen.say(line);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')} ended with exit code ${exitCode}: ${text}`);
}

function statusLine(traffic: WatchedTraffic): string {
  const all = traffic.progress();
  const sum = (of: (one: (typeof all)[number]) => number) => all.reduce((total, one) => total + of(one), 0);
  const recent = new Map<string, number>();
  for (const [version, count] of all.flatMap((one) => [...one.recent]))
    recent.set(version, (recent.get(version) ?? 0) + count);
  const total = Math.max(
    1,
    recent.values().reduce((some, count) => some + count, 0),
  );
  const shares = [...recent].map(([version, count]) => `${version} ${Math.round((100 * count) / total)}%`);
  return `${sum(({ requests }) => requests)} requests ${sum(({ failed }) => failed)} failed | ${shares.join(' ')}`;
}
