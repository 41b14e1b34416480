/** What operators and customers ask of an execution: an event of its own version, whoever took the request. */
import type { ExecutionState } from '../../model/workflow.ts';
import type { Command, CommandOutcome } from '../../ports/workflow-store.ts';
import { appendEvent, ownerOf } from './appending.ts';
import { executionRow } from './find.ts';
import { record } from './history.ts';
import { encoded } from './json.ts';
import { toExecution } from './rows.ts';
import type { Scope } from './scope.ts';
import { fencedSince } from './versions.ts';

/** The state that an execution must be in. */
const FITTING = {
  Cancel: 'Running',
  Approve: 'Running',
  Retry: 'Failed',
} as const satisfies Record<Command['kind'], ExecutionState>;

export function command(scope: Scope, { execution: id, kind, payload, by, worker }: Command): CommandOutcome {
  const text = encoded(`the payload of the command ${kind}`, payload);
  const row = executionRow(scope, id);
  if (row === undefined) return 'NotFound';
  const execution = toExecution(row);
  if (execution.state !== FITTING[kind]) return 'Refused';
  if (kind === 'Retry' && fencedSince(scope, execution.version) !== undefined) return 'Refused';
  const event = appendEvent(scope, ownerOf(row, 'key'), { kind, payload: text, dueAt: scope.now });
  record(scope, { execution: Number(row['key']), revision: execution.revision, worker }, [
    { kind: 'Commanded', event, step: kind, detail: `by ${by}` },
  ]);
  return 'Appended';
}
