/** What tests of the loops over a store share: the SQLite store in a folder of its own, and loops that end with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { openWorkflowSqlite } from '../../../src/adapters/workflow-sqlite/store.ts';
import type { Json } from '../../../src/model/json.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import type { RunnerListener } from '../../../src/workflow/runner/runner.ts';
import { newExecution, V1, worker } from './builders.ts';

let folder: string;
let undo: AsyncDisposableStack;

/** To be called once in a test file: each test gets a store of its own, and what it started ends with it. */
export function useLoops(): void {
  beforeEach(async () => {
    undo = new AsyncDisposableStack();
    folder = await mkdtemp(join(tmpdir(), 'switchyard-runner-'));
    undo.defer(() => rm(folder, { recursive: true, force: true }));
  });
  afterEach(() => undo.disposeAsync());
}

/** Another client of the test's store. */
export async function openStore(): Promise<WorkflowStore> {
  const store = await openWorkflowSqlite({ file: join(folder, 'workflow.db') });
  undo.defer(() => store.close());
  return store;
}

export const workerOf = (name: string) => worker(V1, name);

/** A listener that keeps what it is told. */
export function keeping() {
  const told = { applied: 0, givenBack: [] as string[], lost: 0, faults: [] as unknown[] };
  const listener: RunnerListener = {
    onApplied: () => void (told.applied += 1),
    onGivenBack: ({ error }) => void told.givenBack.push(error),
    onLost: () => void (told.lost += 1),
    onFault: ({ error }) => void told.faults.push(error),
  };
  return { told, listener };
}

/** Runs it until the returned function is called, or the test is over. */
export function running(loop: { run(signal: AbortSignal): Promise<void> }): () => Promise<void> {
  const stop = new AbortController();
  const ended = loop.run(stop.signal);
  const stopped = () => {
    stop.abort();
    return ended;
  };
  undo.defer(stopped);
  return stopped;
}

export const start = (store: WorkflowStore, machine: string, input: Json = null) =>
  store.start(newExecution({ machine, input }));
