/** How an execution begins. */

import { instant } from '../../model/instant.ts';
import type { Worker } from '../../model/workflow.ts';
import type { NewExecution, StartOutcome } from '../../ports/workflow-store.ts';
import type { Change } from './changes.ts';
import { jsonText, plain } from './columns.ts';
import { executionOf } from './records.ts';

/** Throws PayloadTooLargeError. */
export function starting(request: NewExecution & { readonly worker: Worker }): Change<StartOutcome> {
  const { tenant, version, worker, timeout } = request;
  const data = jsonText('the data of the execution', request.data);
  const input = jsonText('the input of the execution', request.input);
  const key = request.idempotencyKey === undefined ? undefined : plain(request.idempotencyKey);
  return {
    needs: {
      startsOn: [version],
      ...(key === undefined ? {} : { keys: [{ tenant, key }] }),
      newExecutions: 1,
      newEvents: 2,
    },
    weight: data.length + input.length,
    decide(workspace) {
      const existing = key === undefined ? undefined : workspace.startedWith(tenant, key);
      if (existing !== undefined) return { kind: 'Existing', execution: executionOf(existing) };
      const since = workspace.fencedSince(version);
      if (since !== undefined) return { kind: 'Fenced', since };
      const { now } = workspace;
      const execution = workspace.addExecution({
        tenant,
        version,
        machine: plain(request.machine),
        name: plain(request.name),
        priority: request.priority,
        state: 'Running',
        data,
        revision: 0,
        startedAt: now,
        updatedAt: now,
        endedAt: undefined,
        timeout,
        deadline: timeout === undefined ? undefined : now + timeout,
        result: undefined,
        error: '',
        idempotencyKey: key,
        historyLines: 0,
      });
      workspace.addEvent({ execution, kind: 'Start', payload: input, dueAt: now });
      if (timeout !== undefined)
        workspace.addEvent({ execution, kind: 'Timeout', payload: 'null', dueAt: instant(now + timeout) });
      workspace.tell(execution.id, { kind: 'Started', worker, step: execution.name, detail: '' });
      return { kind: 'Started', execution: executionOf(execution) };
    },
  };
}
