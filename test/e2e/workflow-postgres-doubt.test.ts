// A connection that breaks between the commit and its answer: what was committed is not done again, what was not is done.
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import type { WorkflowStore } from '../../src/ports/workflow-store.ts';
import { startPostgres } from '../support/postgres.ts';
import { workOnEvents } from '../support/workflow/build-and-end.ts';
import { newExecution, V1, V2 } from '../support/workflow/builders.ts';

/** Where the connection breaks, once it is told to: before the server gets the commit, or before the client hears of it. */
type Break = 'before the commit' | 'after the commit';

/** A way to the server that breaks once. */
class Way {
  #armed: Break | undefined;
  broken = 0;

  arm(where: Break): void {
    this.#armed = where;
  }

  /** Answers the port that it listens on. */
  async open(port: number): Promise<number> {
    const listener = createServer((client) => this.#join(client, connect(port, '127.0.0.1')));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void listener.close());
    return (listener.address() as AddressInfo).port;
  }

  #join(client: Socket, server: Socket): void {
    let isDeaf = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      const where = bytes.includes('COMMIT\0') ? this.#armed : undefined;
      if (where !== undefined) {
        this.#armed = undefined;
        this.broken += 1;
      }
      if (where === 'before the commit') {
        end();
        return;
      }
      isDeaf ||= where === 'after the commit';
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!isDeaf) client.write(bytes);
      // The answer to the commit: it is durable, and the client does not hear of it.
      else if (bytes.includes('COMMIT\0')) end();
    });
  }
}

interface World {
  readonly store: WorkflowStore;
  readonly way: Way;
}

async function newWorld(): Promise<World> {
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const url = new URL(await server.database());
  const way = new Way();
  url.port = String(await way.open(Number(url.port)));
  const store = await openPostgresWorkflowStore({ connectionString: url.href });
  onTestFinished(() => store.close());
  return { store, way };
}

describe.each<Break>(['before the commit', 'after the commit'])('a connection that breaks %s', (where) => {
  test('has its start begin one execution, also without an idempotency key', async () => {
    const { store, way } = await newWorld();
    await store.start(newExecution({ name: 'before' }));
    way.arm(where);
    const outcome = await store.start(newExecution({ name: 'in doubt' }));
    expect(way.broken).toBe(1);
    expect(outcome).toMatchObject({ kind: 'Started', execution: { name: 'in doubt' } });
    const executions = await store.executions({ limit: 10 });
    expect(executions.map(({ name }) => name)).toEqual(['in doubt', 'before']);
    if (outcome.kind === 'Started') expect(executions[0]).toEqual(outcome.execution);
  });

  test('has each of the starts that shared it answered as it is due to it', async () => {
    const { store, way } = await newWorld();
    const used = await store.start(newExecution({ idempotencyKey: 'used' }));
    const { fencedSince } = await store.fenceAndCount(V2);
    way.arm(where);
    const outcomes = await Promise.all(
      [
        newExecution({ name: 'plain' }),
        newExecution({ idempotencyKey: 'used' }),
        newExecution({ version: V2 }),
        newExecution({ idempotencyKey: 'new', name: 'first of two' }),
        newExecution({ idempotencyKey: 'new', name: 'second of two' }),
        newExecution({ idempotencyKey: 'used', version: V2 }),
        newExecution({ name: 'with a deadline', timeout: 60_000 }),
      ].map((wanted) => store.start(wanted)),
    );
    expect(way.broken).toBe(1);
    const existing = { ...used, kind: 'Existing' };
    expect(outcomes).toMatchObject([
      { kind: 'Started', execution: { name: 'plain' } },
      existing,
      { kind: 'Fenced', since: fencedSince },
      { kind: 'Started', execution: { name: 'first of two' } },
      { kind: 'Existing', execution: { name: 'first of two' } },
      existing,
      { kind: 'Started', execution: { name: 'with a deadline' } },
    ]);
    const stored = await store.executions({ limit: 10 });
    expect(stored.map(({ name }) => name)).toEqual(['with a deadline', 'first of two', 'plain', 'nightly']);
    for (const outcome of outcomes)
      if (outcome.kind !== 'Fenced') expect(stored).toContainEqual(outcome.execution);
    expect(await store.count(V1)).toMatchObject({ executions: 4, events: { queued: 4, delayed: 1 } });
  });

  test('has a step applied once', async () => {
    const { store, way } = await newWorld();
    const outcome = await store.start(newExecution());
    if (outcome.kind !== 'Started') throw new Error(outcome.kind);
    way.arm(where);
    expect(await workOnEvents(store)).toBe(1);
    expect(way.broken).toBe(1);
    const history = await store.history(outcome.execution.id);
    expect(history.map(({ kind }) => kind)).toEqual(['Started', 'Stepped', 'TaskCreated']);
  });
});

test('a start that the server refuses takes none of those with it that were asked for at the same time', async () => {
  const { store } = await newWorld();
  // Larger than what an index of Postgres takes, and not compressible.
  const idempotencyKey = Array.from({ length: 500 }, () => randomUUID()).join();
  const outcomes = await Promise.allSettled(
    [newExecution({ name: 'one' }), newExecution({ idempotencyKey }), newExecution({ name: 'two' })].map(
      (wanted) => store.start(wanted),
    ),
  );
  expect(outcomes).toMatchObject([
    { status: 'fulfilled', value: { kind: 'Started' } },
    {
      status: 'rejected',
      reason: { name: 'WorkflowStoreError', message: expect.stringContaining('index row') as string },
    },
    { status: 'fulfilled', value: { kind: 'Started' } },
  ]);
  expect((await store.executions({ limit: 10 })).map(({ name }) => name)).toEqual(['two', 'one']);
});
