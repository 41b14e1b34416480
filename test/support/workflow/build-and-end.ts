// An execution of two steps and a task between them, worked on by hand: for tests in which two stores take turns.
import { expect } from 'vitest';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { delegateWorker, ending, newTask, slots, step, V1, worker } from './builders.ts';

/** One step of whatever is due: a task for a start, an end for its result. Answers how many there were. */
export async function workOnEvents(store: WorkflowStore): Promise<number> {
  const events = await store.claimEvents({ worker: worker(), versions: [V1], limit: 10, lease: 60_000 });
  for (const { event, lease, execution } of events) {
    const outcome = await store.apply({
      lease: { event: event.id, token: lease.token },
      revision: execution.revision,
      step: event.kind === 'Start' ? step({ tasks: [newTask('build')] }) : ending(execution.name),
      worker: worker(),
    });
    expect(outcome).toEqual({ kind: 'Applied' });
  }
  return events.length;
}

/** Gives out all tasks that are due, and takes their results. Answers how many there were. */
export async function workOnTasks(store: WorkflowStore): Promise<number> {
  const tasks = await store.claimTasks({ worker: worker(), slots: [slots()], lease: 60_000 });
  for (const { task, lease, delegate } of tasks) {
    const outcome = await store.finishTask({
      lease: { task: task.id, token: lease.token, tenant: task.tenant, versions: [task.version] },
      outcome: { kind: 'Succeeded', result: null },
      backoff: 0,
      worker: worker(),
      delegate: delegateWorker(delegate),
    });
    expect(outcome).toBe('Finished');
  }
  return tasks.length;
}
