/** What becomes of tasks: given to delegates, finished, given back, taken away from delegates that are gone. */
import type { Milliseconds } from '../../model/instant.ts';
import { instant } from '../../model/instant.ts';
import type { DelegateWorker, TaskId, TaskOutcome, Worker } from '../../model/workflow.ts';
import type { ClaimedTask, DelegateLease, FinishOutcome } from '../../ports/workflow-store.ts';
import type { Change } from './changes.ts';
import { isId, jsonText } from './columns.ts';
import { type ExecutionRecord, type TaskRecord, taskOf } from './records.ts';
import type { Workspace } from './workspace.ts';

const SMALL = 500;

/** Throws PayloadTooLargeError. */
export function finishing(request: {
  readonly lease: DelegateLease;
  readonly outcome: TaskOutcome;
  readonly backoff: Milliseconds;
  readonly worker: Worker;
  readonly delegate: DelegateWorker;
}): Change<FinishOutcome> {
  const { lease, outcome, backoff, worker, delegate } = request;
  const text = jsonText('the outcome of the task', { ...outcome });
  const tasks = isId(lease.task) ? [lease.task] : [];
  return {
    needs: { tasks, finished: tasks, newEvents: 1 },
    weight: text.length + SMALL,
    decide(workspace) {
      const { task: id, token } = lease;
      if (workspace.wasFinished(id, token)) return 'Duplicate';
      const held = workspace.heldTask(lease);
      if (held === undefined) return 'Superseded';
      const { task } = held;
      workspace.finished(id, token);
      const about = { worker, delegate, task: id, token, step: task.key };
      if (outcome.kind === 'Failed' && outcome.retryable && task.attempt < task.maxAttempts) {
        workspace.saveTask({
          ...unleased(task, workspace.now + backoff, workspace.now),
          token: token + 1,
        });
        workspace.tell(task.execution, { ...about, kind: 'TaskRetried', detail: outcome.error });
        return 'Retried';
      }
      finish(workspace, { ...held, text });
      const detail = outcome.kind === 'Failed' ? outcome.error : '';
      workspace.tell(task.execution, { ...about, kind: 'TaskFinished', detail });
      return 'Finished';
    },
  };
}

/** The task is gone, and its execution is told what it came to. */
function finish(
  workspace: Workspace,
  {
    task,
    execution,
    text,
  }: { readonly task: TaskRecord; readonly execution: ExecutionRecord; readonly text: string },
): void {
  workspace.tasks.remove(task.id);
  const payload = `{"key":${JSON.stringify(task.key)},"outcome":${text}}`;
  workspace.addEvent({ execution, kind: 'TaskFinished', payload, dueAt: workspace.now });
}

function unleased(task: TaskRecord, dueAt: number, now: number): TaskRecord {
  const state = dueAt > now ? 'delayed' : 'queued';
  return { ...task, state, dueAt, leaseUntil: 0, delegate: undefined };
}

export function returning(lease: DelegateLease): Change<boolean> {
  const { task: id, token } = lease;
  return {
    needs: isId(id) ? { tasks: [id] } : {},
    weight: SMALL,
    decide(workspace) {
      const held = workspace.heldTask(lease);
      if (held === undefined) return false;
      const { task } = held;
      workspace.saveTask({
        ...unleased(task, workspace.now, workspace.now),
        // Nobody has this token: whoever gave it back is refused from now on.
        token: token + 1,
        attempt: task.attempt - 1,
      });
      return true;
    },
  };
}

/** Makes tasks due again whose leases have run out, and fails those whose attempts are used up. */
export function expiring(ids: readonly TaskId[], worker: Worker): Change<void> {
  return {
    needs: { tasks: ids, newEvents: ids.length },
    weight: SMALL * ids.length,
    decide(workspace) {
      for (const id of ids) {
        const task = workspace.tasks.get(id);
        const execution = task && workspace.executions.get(task.execution);
        if (execution === undefined || task?.state !== 'leased' || task.leaseUntil > workspace.now) continue;
        if (task.attempt < task.maxAttempts) {
          // With its token: until somebody else has it, its delegate may come back.
          workspace.saveTask({ ...unleased(task, workspace.now, workspace.now), delegate: task.delegate });
          continue;
        }
        const error = `its lease ran out in the last of ${task.maxAttempts} attempts`;
        finish(workspace, {
          task,
          execution,
          text: JSON.stringify({ kind: 'Failed', error, retryable: false }),
        });
        workspace.tell(task.execution, {
          worker,
          kind: 'TaskFinished',
          task: id,
          token: task.token,
          step: task.key,
          detail: error,
        });
      }
    },
  };
}

/** Leases a task that was found to be due to a delegate. Undefined: somebody else has it by now. */
export function leasing(
  workspace: Workspace,
  {
    id,
    delegate,
    lease,
    worker,
  }: {
    readonly id: TaskId;
    readonly delegate: DelegateWorker;
    readonly lease: Milliseconds;
    readonly worker: Worker;
  },
): ClaimedTask | undefined {
  const task = workspace.tasks.get(id);
  if (task?.state !== 'queued' || !workspace.executions.get(task.execution)) return undefined;
  const leased: TaskRecord = {
    ...task,
    state: 'leased',
    attempt: task.attempt + 1,
    token: task.token + 1,
    leaseUntil: workspace.now + lease,
    delegate: delegate.delegate,
  };
  workspace.tasks.put(leased);
  workspace.tell(task.execution, {
    worker,
    delegate,
    kind: 'TaskLeased',
    task: id,
    token: leased.token,
    step: task.key,
    detail: '',
  });
  return {
    task: taskOf(leased),
    lease: { token: leased.token, until: instant(leased.leaseUntil) },
    delegate: delegate.delegate,
  };
}
