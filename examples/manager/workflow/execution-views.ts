/** Executions and their history as JSON: times as ISO 8601. */
import type { Instant } from '../../../src/model/instant.ts';
import type { Execution, HistoryEntry } from '../../../src/model/workflow.ts';

export function executionView(execution: Execution) {
  const { id, tenant, version, machine, name, priority, state, revision, result, error } = execution;
  const { startedAt, updatedAt, endedAt, deadline } = execution;
  return {
    id,
    tenant,
    version,
    machine,
    name,
    priority,
    state,
    revision,
    startedAt: time(startedAt),
    updatedAt: time(updatedAt),
    ...(endedAt !== undefined && { endedAt: time(endedAt) }),
    ...(deadline !== undefined && { deadline: time(deadline) }),
    ...(result !== undefined && { result }),
    ...(error !== '' && { error }),
  };
}

export function historyView({ at, ...entry }: HistoryEntry) {
  return { ...entry, at: time(at) };
}

function time(at: Instant): string {
  return new Date(at).toISOString();
}
