// Thousands of delegates are told of again and again: what is the same is no write, which vacuum would have to clean up.
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import { instant } from '../../src/model/instant.ts';
import type { ManagerId } from '../../src/model/workflow.ts';
import { startPostgres } from '../support/postgres.ts';
import { aRegistration } from '../support/registrations.ts';

const MANAGER = 'manager-1' as ManagerId;

test('delegates of whom there is nothing new write no row, and one of many writes one', async () => {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const connectionString = await server.database();
  const store = await openPostgresWorkflowStore({ connectionString, schema: 'store' });
  onTestFinished(() => store.close());
  const client = new Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  /** The transaction that wrote each delegate's row. */
  const writers = async (): Promise<Readonly<Record<string, string>>> => {
    const { rows } = await client.query('SELECT delegate, xmin::text AS writer FROM store.delegates');
    return Object.fromEntries(rows.map(({ delegate, writer }) => [delegate, writer]));
  };
  const boxes = Array.from({ length: 500 }, (_, index) =>
    aRegistration(`box-${index}`, { tenant: 'acme', version: 'v1' }),
  );
  await store.saveDelegates(MANAGER, boxes);
  const before = await writers();
  await store.saveDelegates(MANAGER, boxes);
  expect(await writers()).toEqual(before);
  const changes = [{ running: 9 }, { tags: ['gpu', 'a "quoted" one'] }, { capacity: 7 }, {}] as const;
  const changed = boxes.slice(0, 4).map((box, index) => ({ ...box, ...changes[index] }));
  await store.saveDelegates(MANAGER, [...changed, ...boxes.slice(5)]);
  const after = await writers();
  const rewritten = Object.keys(before).filter((name) => after[name] !== before[name]);
  expect(rewritten.toSorted()).toEqual(['box-0', 'box-1', 'box-2', 'box-4']);
  const found = await store.delegates({ since: instant(0) });
  expect(found).toHaveLength(499);
  for (const one of changed) expect(found).toContainEqual({ ...one, manager: MANAGER });
});
