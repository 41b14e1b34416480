/** A rollout that makes way for another one within one change: its end is stored, although its record has the new one. */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import { Ledger } from '../../../src/controller/ledger.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { startRollout } from '../../../src/rollout/start.ts';
import { aRecord, aSpec } from '../../support/records.ts';

const manager = serviceName('manager');

/** The record after somebody wants another version. */
function wanting(record: ServiceRecord, version: string, at: number): ServiceRecord {
  const spec = aSpec({ version: versionName(version) });
  const wished = { ...record, spec, generation: record.generation + 1 };
  return startRollout(wished, { by: 'ada', reason: '', urgent: false, now: instant(at), group: [] });
}

test('both are in the store: the new one goes on, the other was superseded', async () => {
  const store = createMemoryStore();
  const ledger = await Ledger.open(store);
  await ledger.change(() => ({ commit: { services: [aRecord()] }, result: undefined }));
  for (const [version, at] of [
    ['v2', 10],
    ['v3', 20],
  ] as const) {
    await ledger.change((records) => {
      const record = records.get(manager);
      if (record === undefined) throw new Error('manager is recorded');
      return { commit: { services: [wanting(record, version, at)] }, result: undefined };
    });
  }
  const stored = await store.rollouts({ limit: 10 });
  expect(
    stored.map(({ version, state, stateReason, endedAt }) => ({ version, state, stateReason, endedAt })),
  ).toEqual([
    { version: 'v3', state: 'Progressing', stateReason: 'Deploying', endedAt: undefined },
    { version: 'v2', state: 'Aborted', stateReason: 'Superseded', endedAt: 20 },
  ]);
});
