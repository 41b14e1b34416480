// A connection that breaks between the commit and its answer: what was committed is not done again, what was not is done.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openPostgresWorkflowStore } from '../../src/adapters/workflow-postgres/store.ts';
import { startPostgres } from '../support/postgres.ts';
import { newExecution } from '../support/workflow/builders.ts';

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

test.each<Break>(['before the commit', 'after the commit'])(
  'a start whose connection breaks %s begins one execution, also without an idempotency key',
  async (where) => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const url = new URL(await server.database());
    const way = new Way();
    url.port = String(await way.open(Number(url.port)));
    const store = await openPostgresWorkflowStore({ connectionString: url.href });
    onTestFinished(() => store.close());
    await store.start(newExecution({ name: 'before' }));
    way.arm(where);
    const outcome = await store.start(newExecution({ name: 'in doubt' }));
    expect(way.broken).toBe(1);
    expect(outcome).toMatchObject({ kind: 'Started', execution: { name: 'in doubt' } });
    const executions = await store.executions({ limit: 10 });
    expect(executions.map(({ name }) => name)).toEqual(['in doubt', 'before']);
    if (outcome.kind === 'Started') expect(executions[0]).toEqual(outcome.execution);
  },
);
