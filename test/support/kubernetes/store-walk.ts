/**
 * A random life of a store: changes of one service and of several, some of which a crash cuts off at some request. After each
 * crash a new leader opens the store, which must hold the change whole, or nothing of it; what was acknowledged it holds.
 */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { type KubernetesStore, openKubernetesStore } from '../../../src/adapters/kubernetes/store/store.ts';
import { instant } from '../../../src/model/instant.ts';
import { type ServiceName, serviceName, tenantName } from '../../../src/model/names.ts';
import type { Roll, RollRecord } from '../../../src/model/parity.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Commit } from '../../../src/ports/store.ts';
import { recordWith, rolloutRecord } from '../stored-history.ts';
import { newEvent } from '../stored-records.ts';
import { intervened } from './intervened.ts';
import { leaderOptions } from './stores.ts';

const SERVICES = ['alpha', 'beta', 'gamma'].map(serviceName);

/** One change, and where its writer dies, if it does. */
export interface Step {
  readonly touched: readonly ServiceName[];
  readonly deleted?: ServiceName;
  readonly withRolls: boolean;
  /** Of its requests, from 1, and whether the server carries that one out. Beyond the last: it does not die. */
  readonly crash: { readonly at: number; readonly carriedOut: boolean };
}

export const anySteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record(
    {
      touched: fc.subarray(SERVICES),
      deleted: fc.constantFrom(...SERVICES),
      withRolls: fc.boolean(),
      crash: fc.record({ at: fc.integer({ min: 1, max: 30 }), carriedOut: fc.boolean() }),
    },
    { requiredKeys: ['touched', 'withRolls', 'crash'] },
  ),
  { minLength: 1, maxLength: 12 },
);

/** What a store should hold. */
interface Expected {
  readonly records: ReadonlyMap<ServiceName, ServiceRecord>;
  readonly rolls: ReadonlyMap<ServiceName, Roll>;
}

export async function walk(objects: Objects, steps: readonly Step[]): Promise<void> {
  let expected: Expected = { records: new Map(), rolls: new Map() };
  let publication = 1;
  let sequence = 0;
  let life = await begin(objects, 0);
  for (const [number, step] of steps.entries()) {
    const commit = commitOf(step, expected, number, publication);
    const after = applied(expected, commit);
    const outcome = await life.run(step.crash, (store) => store.commit(commit));
    if (outcome.kind === 'Crashed') life = await begin(objects, number + 1);
    const found = await foundIn(life.store);
    const isAfter = outcome.kind === 'Done' || isDeepStrictEqual(found, plain(after));
    expect(found).toEqual(plain(isAfter ? after : expected));
    if (isAfter) expected = after;
    const { nextPublication, everWritten } = await life.store.load();
    expect(nextPublication).toBeGreaterThanOrEqual(publication);
    expect(everWritten || expected.records.size === 0).toBe(true);
    if (outcome.kind === 'Done') {
      publication = commit.nextPublication ?? publication;
      for (const event of outcome.result) expect(event.sequence).toBeGreaterThan(sequence);
      sequence = outcome.result.at(-1)?.sequence ?? sequence;
    } else publication = nextPublication;
  }
  await life.store.close();
}

interface Life {
  readonly store: KubernetesStore;
  run<Result>(
    crash: Step['crash'],
    act: (store: KubernetesStore) => Promise<Result>,
  ): Promise<{ readonly kind: 'Done'; readonly result: Result } | { readonly kind: 'Crashed' }>;
}

/** A leader that can die: from then on nothing of it reaches the server, and it hears nothing. */
async function begin(objects: Objects, term: number): Promise<Life> {
  let left = Number.POSITIVE_INFINITY;
  let carriesOut = false;
  const died = Promise.withResolvers<undefined>();
  const connection = intervened(objects, async (_, carryOut) => {
    left -= 1;
    if (left > 0) return carryOut();
    if (left === 0 && carriesOut) await carryOut().catch(() => undefined);
    died.resolve(undefined);
    return new Promise<never>(() => undefined);
  });
  const store = await openKubernetesStore(leaderOptions(connection, { term }));
  return {
    store,
    async run(crash, act) {
      left = crash.at;
      carriesOut = crash.carriedOut;
      const done = act(store).then((result) => ({ kind: 'Done', result }) as const);
      const outcome = await Promise.race([done, died.promise.then(() => ({ kind: 'Crashed' }) as const)]);
      if (outcome.kind === 'Done') left = Number.POSITIVE_INFINITY;
      return outcome;
    },
  };
}

function commitOf(step: Step, { records }: Expected, number: number, publication: number): Commit {
  const touched = step.touched.filter((name) => name !== step.deleted);
  const services = touched.map((name) => {
    const generation = (records.get(name)?.generation ?? 0) + 1;
    const fresh = rolloutRecord({ service: name, generation: number });
    const rollout = step.withRolls ? fresh : (records.get(name)?.rollout ?? fresh);
    return { ...recordWith(rollout, generation), document: `step ${number}` };
  });
  const rolls: readonly RollRecord[] = services.flatMap(({ name, rollout }) =>
    step.withRolls && rollout !== undefined ? [{ rollout: rollout.id, roll: rollAt(name, number) }] : [],
  );
  const stored = step.deleted === undefined ? undefined : records.get(step.deleted);
  return {
    services,
    rolls,
    ...(stored === undefined ? {} : { deletions: [{ name: stored.name, generation: stored.generation }] }),
    nextPublication: publication + (number % 3) * 6_000,
    events: touched.map((service) => newEvent({ action: 'Step', service, at: number })),
  };
}

function rollAt(service: ServiceName, number: number): Roll {
  return {
    kind: 'counted',
    fixedAt: instant(number),
    tenants: [{ tenant: tenantName(service), count: number }],
  };
}

function applied({ records, rolls }: Expected, commit: Commit): Expected {
  const after = { records: new Map(records), rolls: new Map(rolls) };
  for (const record of commit.services ?? []) {
    const before = records.get(record.name);
    after.records.set(record.name, record);
    if (before?.rollout?.id !== record.rollout?.id) after.rolls.delete(record.name);
    const roll = commit.rolls?.find(({ rollout }) => rollout === record.rollout?.id);
    if (roll !== undefined) after.rolls.set(record.name, roll.roll);
  }
  for (const { name } of commit.deletions ?? []) {
    after.records.delete(name);
    after.rolls.delete(name);
  }
  return after;
}

function plain({ records, rolls }: Expected): object {
  const names = [...records.keys()].toSorted();
  return names.map((name) => ({ record: records.get(name), roll: rolls.get(name) }));
}

async function foundIn(store: KubernetesStore): Promise<object> {
  const { services } = await store.load();
  return Promise.all(
    services.map(async (record) => ({
      record,
      roll: record.rollout === undefined ? undefined : await store.roll(record.rollout.id),
    })),
  );
}
