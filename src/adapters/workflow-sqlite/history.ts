/** The history of executions: lines are added in the transaction that did what they say, and never changed. */
import type {
  DelegateWorker,
  ExecutionId,
  HistoryEntry,
  HistoryKind,
  TaskId,
  Worker,
} from '../../model/workflow.ts';
import { executionRow } from './find.ts';
import { toExecution, toHistoryEntry } from './rows.ts';
import type { Scope } from './scope.ts';

/** A line to add. */
export interface NewLine {
  readonly kind: HistoryKind;
  readonly step: string;
  readonly detail?: string;
  readonly delegate?: DelegateWorker;
  /** The key of the event's row. */
  readonly event?: number;
  readonly task?: TaskId;
  readonly token?: number;
}

/** Whose history it is, who writes, and the revision after what it says. */
export interface Chapter {
  /** The key of the execution's row. */
  readonly execution: number;
  readonly revision: number;
  readonly worker: Worker;
}

/** Adds lines, in this order. */
export function record({ sql, now }: Scope, chapter: Chapter, lines: readonly NewLine[]): void {
  const last = sql.row(
    'SELECT max(sequence) AS sequence FROM history WHERE execution = ?',
    chapter.execution,
  );
  let sequence = Number(last?.['sequence'] ?? 0);
  for (const line of lines) {
    sequence += 1;
    sql.run(
      `INSERT INTO history (execution, sequence, at, kind, revision, manager, manager_version, delegate, delegate_version,
        event, task, token, step, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      chapter.execution,
      sequence,
      now,
      line.kind,
      chapter.revision,
      chapter.worker.manager,
      chapter.worker.version,
      line.delegate?.delegate ?? null,
      line.delegate?.version ?? null,
      line.event ?? null,
      line.task ?? null,
      line.token ?? null,
      line.step,
      line.detail ?? '',
    );
  }
}

export function history(scope: Scope, id: ExecutionId): readonly HistoryEntry[] {
  const row = executionRow(scope, id);
  if (row === undefined) return [];
  const execution = toExecution(row);
  return scope.sql
    .rows('SELECT * FROM history WHERE execution = ? ORDER BY sequence', row['key'] ?? null)
    .map((line) => toHistoryEntry(line, execution));
}
