// Replicas that compete for a Lease of a real API server: never two leaders, a term for each change of hands, and a successor
// within seconds of a leader that lets go, or within the Lease's duration of one that dies.
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { LEASE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { LeaderElection, type Leadership } from '../../../src/adapters/kubernetes/client/leader-election.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';

interface Replica {
  readonly election: LeaderElection;
  readonly heard: Leadership[];
  /** As SIGSTOP would: its clock has gone on, and it has done nothing. */
  pause(milliseconds: number): void;
}

function replica({ api, namespace }: TestNamespace, identity: string): Replica {
  let skipped = 0;
  const heard: Leadership[] = [];
  const election = new LeaderElection({
    api,
    namespace,
    name: 'switchyard',
    identity,
    clock: systemClock,
    monotonic: () => performance.now() + skipped,
    random: () => 0.5,
    onChange: (leadership) => heard.push(leadership),
  });
  onTestFinished(() => election.stop());
  return { election, heard, pause: (milliseconds) => (skipped += milliseconds) };
}

const leads = ({ election }: Replica): boolean => election.leadership.kind === 'Leading';

test('one of three leads, the others know which, and one that lets go is followed within seconds, in a new term', async () => {
  const place = await testNamespace();
  const replicas = ['a', 'b', 'c'].map((name) => replica(place, name));
  for (const { election } of replicas) election.start();
  await eventually(() => replicas.filter(leads).length === 1);
  const [leader] = replicas.filter(leads);
  const others = replicas.filter((one) => one !== leader);
  expect(leader?.election.leadership).toEqual({ kind: 'Leading', term: 0 });
  const name = ['a', 'b', 'c'][replicas.indexOf(leader as Replica)];
  await eventually(() =>
    others.every(({ election }) => JSON.stringify(election.leadership).includes(`"${name}"`)),
  );
  await leader?.election.stop();
  expect(leader && leads(leader)).toBe(false);
  await eventually(() => others.filter(leads).length === 1, { within: 10_000 });
  const [next] = others.filter(leads);
  expect(next?.election.leadership).toMatchObject({ kind: 'Leading', term: 1 });
});

test('a leader whose process was paused for too long leads no more when it wakes, before it has asked anybody', async () => {
  const place = await testNamespace();
  const one = replica(place, 'a');
  one.election.start();
  await eventually(() => leads(one));
  one.pause(10_000);
  expect(leads(one)).toBe(false);
  expect(one.heard.at(-1)).toEqual({ kind: 'Following', leader: '' });
  // Its Lease is still its own: it leads again, in a new term, since another one might have led meanwhile.
  await eventually(() => leads(one), { within: 10_000 });
  expect(one.election.leadership).toEqual({ kind: 'Leading', term: 1 });
});

test('one that steps aside lets another one lead, knows which, and leads again when its time is over and nobody does', async () => {
  const place = await testNamespace();
  const [one, other] = [replica(place, 'a'), replica(place, 'b')];
  one.election.start();
  await eventually(() => leads(one));
  other.election.start();
  await one.election.stepAside(60_000);
  expect(leads(one)).toBe(false);
  await eventually(() => leads(other), { within: 10_000 });
  await eventually(() => JSON.stringify(one.election.leadership).includes('"b"'), { within: 10_000 });
  await other.election.stop();
  await eventually(() => JSON.stringify(one.election.leadership) === '{"kind":"Following","leader":""}', {
    within: 10_000,
  });
  one.pause(60_000);
  await eventually(() => leads(one), { within: 10_000 });
});

test('a Lease that nobody renews is taken over after its duration, as the successor saw it, and not before', async () => {
  const place = await testNamespace();
  const { api, namespace } = place;
  await api.create(
    LEASE,
    { namespace },
    {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'switchyard', namespace },
      spec: {
        holderIdentity: 'dead',
        leaseDurationSeconds: 4,
        // A clock that is years behind says nothing.
        acquireTime: '2020-01-01T00:00:00.000000Z',
        renewTime: '2020-01-01T00:00:00.000000Z',
        leaseTransitions: 7,
      },
    },
  );
  const one = replica(place, 'a');
  const began = performance.now();
  one.election.start();
  await eventually(() => JSON.stringify(one.election.leadership).includes('dead'));
  await eventually(() => leads(one), { within: 15_000 });
  expect(performance.now() - began).toBeGreaterThanOrEqual(4_000);
  expect(one.election.leadership).toEqual({ kind: 'Leading', term: 8 });
});
