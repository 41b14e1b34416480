/** What may happen to the replica that leads, or to what it stands on, in the middle of a rollout. */
import { expect } from 'vitest';
import { eventually } from '../../eventually.ts';
import type { Cluster } from '../cluster.ts';
import type { Written } from './api-gate.ts';
import type { Installation } from './installation.ts';
import type { WatchedTraffic } from './watched-traffic.ts';

export interface Stricken {
  readonly world: Installation;
  readonly traffic: WatchedTraffic;
  /** The control plane, where it is this test's own. */
  readonly cluster: Cluster | undefined;
}

export interface LeaderFault {
  /** At most 40 characters: longer names of tests are cut. */
  readonly name: string;
  /** It takes the control plane away, so the test needs one of its own. */
  readonly needsOwnCluster: boolean;
  /** Resolves when another replica leads, or what was away is back; the rollout goes on. */
  readonly strike: (stricken: Stricken) => Promise<void>;
}

/** Requests through each Envoy while something is away. */
const MEANWHILE = 100;

export const LEADER_FAULTS: readonly LeaderFault[] = [
  { name: 'its leader is killed with -9', needsOwnCluster: false, strike: killed },
  {
    name: 'its leader sleeps with an unsent write',
    needsOwnCluster: false,
    strike: stopped,
  },
  { name: 'its leader cannot reach the API server', needsOwnCluster: false, strike: cutOff },
  { name: 'its leader hears the API server no more', needsOwnCluster: false, strike: inTheDark },
  { name: 'etcd is killed and comes back', needsOwnCluster: true, strike: etcdAway },
  { name: 'the API server is killed and comes back', needsOwnCluster: true, strike: apiServerAway },
];

async function killed({ world: { replicas }, traffic }: Stricken): Promise<void> {
  const leader = await replicas.leader();
  await leader.process.kill();
  await replicas.leader({ not: leader });
  await traffic.goOn();
  await replicas.restart(leader);
}

/** It is stopped when its decision has left it and has not arrived, and wakes when another one leads. */
async function stopped({ world: { replicas }, traffic }: Stricken): Promise<void> {
  const leader = await replicas.leader();
  const held = await leader.gate.hold(decides);
  leader.process.signal('SIGSTOP');
  replicas.avoid(leader);
  const next = await replicas.leader({ not: leader });
  await eventually(() => next.gate.written.some((written) => decides(written) && isDone(written)), {
    what: `a decision of ${next.process.name}`,
    within: 60_000,
  });
  // What it had sent arrives late, and what it wants to send when it wakes comes after that.
  expect(await held.release()).toBe(409);
  const since = performance.now();
  leader.process.signal('SIGCONT');
  await eventually(async () => /"leader":"(?!")[^"]*","msg":"following"/.test(leader.process.log()), {
    what: `${leader.process.name} as a follower`,
    within: 60_000,
  });
  await traffic.goOn();
  const taken = leader.gate.written.filter((written) => written.at > since && isDone(written));
  expect(taken.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  replicas.trust(leader);
}

async function cutOff({ world: { replicas }, traffic }: Stricken): Promise<void> {
  const leader = await replicas.leader();
  leader.gate.cut();
  await replicas.leader({ not: leader });
  await traffic.goOn(MEANWHILE);
  leader.gate.heal();
}

async function inTheDark({ world: { replicas }, traffic }: Stricken): Promise<void> {
  const leader = await replicas.leader();
  leader.gate.silence();
  await replicas.leader({ not: leader });
  await traffic.goOn(MEANWHILE);
  leader.gate.heal();
}

async function etcdAway({ cluster, traffic }: Stricken): Promise<void> {
  await cluster?.etcd.kill();
  await traffic.goOn(MEANWHILE);
  await cluster?.etcd.start();
}

async function apiServerAway({ cluster, traffic }: Stricken): Promise<void> {
  await cluster?.apiServer.kill();
  await traffic.goOn(MEANWHILE);
  await cluster?.apiServer.start();
}

/** The write of a service's record decides: all else follows from it. */
function decides({ method, path, query }: Written): boolean {
  return method === 'PUT' && path.includes('/serviceroutings/') && !query.includes('dryRun');
}

function isDone({ status }: Written): boolean {
  return status !== undefined && status < 300;
}
