/**
 * The WorkflowStore port over one SQLite file, for a few processes on one machine. Calls go to a worker thread, which
 * does those that wait together in one transaction, in their order.
 */
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { StoreWriteError } from '../sqlite/errors.ts';
import type { Migration } from '../sqlite/migrations.ts';
import { StoreThread } from '../store-thread.ts';
import { fromPlainWorkflow, type PlainWorkflowError } from './errors.ts';
import { WORKFLOW_MIGRATIONS } from './migrations.ts';
import type { Calls, WorkerSettings } from './protocol.ts';

export interface WorkflowSqliteOptions {
  /** Made where it does not exist; its folder must, on a disk of this machine. Never the controller's state file. */
  readonly file: string;
  /** The forms of the file that are known. Default: those of this release. */
  readonly migrations?: readonly Migration[];
}

/** Opens or makes the file. Rejects with StoreRefusedError where it is damaged, foreign or too new. */
export async function openWorkflowSqlite(options: WorkflowSqliteOptions): Promise<WorkflowStore> {
  const { file, migrations = WORKFLOW_MIGRATIONS } = options;
  const listeners = new Set<() => void>();
  const thread = await StoreThread.open<Calls, PlainWorkflowError>({
    file: workerFile(),
    settings: { file, migrations } satisfies WorkerSettings,
    fromPlain: fromPlainWorkflow,
    lost: (cause) =>
      new StoreWriteError(`the workflow store no longer answers (${cause.message}); restart this process`, {
        cause,
      }),
    onChanged: () => {
      for (const listener of listeners) listener();
    },
  });
  const watch = (isWanted: boolean): void => {
    // A store that is closed or broken tells nobody anything; its next call says so.
    thread.call('watch', isWanted).catch(() => undefined);
  };
  return {
    now: () => thread.call('now', []),
    start: (request) => thread.call('start', [request]),
    claimEvents: (request) => thread.call('claimEvents', [request]),
    apply: (request) => thread.call('apply', [request]),
    giveBack: (request) => thread.call('giveBack', [request]),
    renewEvents: (request) => thread.call('renewEvents', [request]),
    claimTasks: (request) => thread.call('claimTasks', [request]),
    renewTasks: (request) => thread.call('renewTasks', [request]),
    finishTask: (request) => thread.call('finishTask', [request]),
    returnTask: (lease) => thread.call('returnTask', [lease]),
    command: (command) => thread.call('command', [command]),
    declareContinuation: (declared) => thread.call('declareContinuation', [declared]),
    compatibleVersions: (version) => thread.call('compatibleVersions', [version]),
    execution: (id) => thread.call('execution', [id]),
    executions: (query) => thread.call('executions', [query]),
    history: (id) => thread.call('history', [id]),
    openTasks: (id) => thread.call('openTasks', [id]),
    deadLetters: (query) => thread.call('deadLetters', [query]),
    revive: (event) => thread.call('revive', [event]),
    fenceAndCount: (version) => thread.call('fenceAndCount', [version]),
    lift: (version) => thread.call('lift', [version]),
    fencedSince: (version) => thread.call('fencedSince', [version]),
    count: (version) => thread.call('count', [version]),
    oldestOpen: (version, limit) => thread.call('oldestOpen', [version, limit]),
    saveDelegates: (manager, delegates) => thread.call('saveDelegates', [manager, delegates]),
    delegates: (query) => thread.call('delegates', [query]),
    prune: (request) => thread.call('prune', [request]),
    subscribe: (listener) => {
      // Wrapped, so that the same function subscribed twice is two subscriptions.
      const subscription = (): void => listener();
      listeners.add(subscription);
      if (listeners.size === 1) watch(true);
      return () => {
        if (listeners.delete(subscription) && listeners.size === 0) watch(false);
      };
    },
    close: () => thread.close(),
  };
}

/** The worker beside this file, whether Node runs the sources or the published JavaScript. */
function workerFile(): URL {
  return import.meta.url.endsWith('.ts')
    ? new URL('./worker.ts', import.meta.url)
    : new URL('./worker.js', import.meta.url);
}
