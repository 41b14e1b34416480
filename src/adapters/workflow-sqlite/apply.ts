/** A step of an execution: its new state, what it appends and takes back, its history, and the end of its event. */
import { after } from '../../model/instant.ts';
import type { NewTask, Step } from '../../model/step.ts';
import type { Worker } from '../../model/workflow.ts';
import type { ApplyOutcome, EventLease } from '../../ports/workflow-store.ts';
import { appendEvent, createTask, ownerOf } from './appending.ts';
import { leasedEvent } from './events.ts';
import { existingRow } from './find.ts';
import { type NewLine, record } from './history.ts';
import { canonical, encoded } from './json.ts';
import { toExecution } from './rows.ts';
import type { Scope } from './scope.ts';
import type { Row } from './sql.ts';
import { cancelTasks } from './tasks.ts';

export interface ApplyRequest {
  readonly lease: EventLease;
  readonly revision: number;
  readonly step: Step;
  readonly worker: Worker;
}

export function apply(scope: Scope, { lease, revision, step, worker }: ApplyRequest): ApplyOutcome {
  const event = leasedEvent(scope, lease);
  if (event === undefined) return { kind: 'LeaseLost' };
  const row = existingRow(scope, Number(event['execution']));
  if (Number(row['revision']) !== revision) return { kind: 'Conflict', execution: toExecution(row) };
  const key = Number(row['key']);
  verifyTaskKeys(scope, key, step);
  scope.sql.run('DELETE FROM event WHERE key = ?', Number(event['key']));
  const lines: NewLine[] = [
    { kind: 'Stepped', event: Number(event['key']), token: lease.token, step: String(event['kind']) },
    ...(step.end === undefined ? appended(scope, row, step) : ended(scope, key)),
    ...step.notes.map((note): NewLine => ({ kind: 'Noted', ...note })),
  ];
  if (step.end !== undefined) lines.push({ kind: 'Ended', step: step.end.state, detail: step.end.error });
  advance(scope, row, step);
  if (row['ended_at'] !== null && step.end === undefined) runAgain(scope, row);
  record(scope, { execution: key, revision: revision + 1, worker }, lines);
  return { kind: 'Applied' };
}

/** Takes back what the step does not want any more, then appends: a key may be used again at once. */
function appended(scope: Scope, row: Row, step: Step): readonly NewLine[] {
  const owner = ownerOf(row, 'key');
  cancelEvents(scope, owner.key, step.cancelEvents);
  const cancelled = cancelTasks(scope, owner.key, step.cancelTasks);
  for (const { kind, payload, delay = 0 } of step.events) {
    const text = encoded(`the payload of event ${kind}`, payload);
    appendEvent(scope, owner, { kind, payload: text, dueAt: after(scope.now, delay) });
  }
  const created = step.tasks.map((task): NewLine => {
    return { kind: 'TaskCreated', task: createTask(scope, owner, task), step: task.key, detail: task.kind };
  });
  return [...cancelled, ...created];
}

function ended(scope: Scope, execution: number): readonly NewLine[] {
  scope.sql.run('DELETE FROM event WHERE execution = ?', execution);
  return cancelTasks(scope, execution, 'all');
}

/** The execution's row after the step. */
function advance(scope: Scope, row: Row, { data, end }: Step): void {
  scope.sql.run(
    `UPDATE execution SET state = ?, revision = revision + 1, updated_at = ?, ended_at = ?, error = ?, result = ?, data = ?
      WHERE key = ?`,
    end?.state ?? 'Running',
    scope.now,
    end === undefined ? null : scope.now,
    end?.error ?? '',
    end?.result === undefined ? null : encoded('the result of the execution', end.result),
    encoded('the state of the execution', data),
    row['key'] ?? null,
  );
}

/** An execution that had failed runs again, with its whole time anew. */
function runAgain(scope: Scope, row: Row): void {
  if (row['timeout'] === null) return;
  const deadline = after(scope.now, Number(row['timeout']));
  appendEvent(scope, ownerOf(row, 'key'), { kind: 'Timeout', payload: 'null', dueAt: deadline });
  scope.sql.run('UPDATE execution SET deadline = ? WHERE key = ?', deadline, row['key'] ?? null);
}

function cancelEvents({ sql }: Scope, execution: number, unwanted: Step['cancelEvents']): void {
  for (const { kind, payload } of unwanted) {
    const wanted = canonical(payload);
    for (const row of sql.rows(
      'SELECT key, payload FROM event WHERE execution = ? AND kind = ?',
      execution,
      kind,
    )) {
      const isMeant = canonical(JSON.parse(String(row['payload']))) === wanted;
      if (isMeant) sql.run('DELETE FROM event WHERE key = ?', row['key'] ?? null);
    }
  }
}

function verifyTaskKeys({ sql }: Scope, execution: number, step: Step): void {
  if (step.end !== undefined || step.tasks.length === 0) return;
  const taken = new Set(
    sql.rows('SELECT name FROM task WHERE execution = ?', execution).map(({ name }) => String(name)),
  );
  for (const key of step.cancelTasks) taken.delete(key);
  for (const { key } of step.tasks satisfies readonly NewTask[]) {
    if (taken.has(key)) {
      throw new RangeError(
        `the step creates task "${key}", but the execution has an open task of that key; cancel it in the same step, or choose another key`,
      );
    }
    taken.add(key);
  }
}
