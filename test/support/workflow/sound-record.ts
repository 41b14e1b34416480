// A sound record of one execution for tests of the history checker, and how to change its lines.
import { instant } from '../../../src/model/instant.ts';
import type {
  DelegateId,
  EventId,
  Execution,
  ExecutionId,
  HistoryEntry,
  HistoryKind,
  TaskId,
} from '../../../src/model/workflow.ts';
import { ACME, delegateWorker, V1, V2, worker } from './builders.ts';
import { type Recorded } from './history-checker.ts';

export const ID = 'execution-1' as ExecutionId;
export const TASK = 'task-1' as TaskId;
const BOX = 'box-1' as DelegateId;
export const event = (number: number): EventId => String(number) as EventId;

export const EXECUTION: Execution = {
  id: ID,
  tenant: ACME,
  version: V1,
  machine: 'counter',
  name: 'nightly',
  priority: 5,
  state: 'Succeeded',
  data: null,
  revision: 2,
  startedAt: instant(1),
  updatedAt: instant(9),
  endedAt: instant(9),
  error: '',
};

export function line(
  kind: HistoryKind,
  revision: number,
  more: Partial<HistoryEntry> = {},
): Omit<HistoryEntry, 'sequence'> {
  return {
    execution: ID,
    at: instant(1),
    kind,
    revision,
    version: V1,
    worker: worker(),
    step: '',
    detail: '',
    ...more,
  };
}

/** A task that fails once, is lost once, and is done by another delegate in the end. */
const LINES: readonly Omit<HistoryEntry, 'sequence'>[] = [
  line('Started', 0),
  line('Stepped', 1, { event: event(1), token: 1, step: 'Start' }),
  line('TaskCreated', 1, { task: TASK }),
  line('TaskLeased', 1, { task: TASK, token: 1, delegate: delegateWorker('box-1') }),
  line('TaskRetried', 1, { task: TASK, token: 1, delegate: delegateWorker('box-1') }),
  line('TaskLeased', 1, { task: TASK, token: 2, delegate: delegateWorker('box-1') }),
  line('TaskLeased', 1, { task: TASK, token: 3, delegate: delegateWorker('box-2') }),
  line('TaskFinished', 1, { task: TASK, token: 3, delegate: delegateWorker('box-2') }),
  line('Commanded', 1, { event: event(3), step: 'Approve', worker: worker(V2) }),
  line('Stepped', 2, { event: event(2), token: 1, step: 'TaskFinished' }),
  line('Ended', 2),
];

function numbered(lines: readonly Omit<HistoryEntry, 'sequence'>[]): readonly HistoryEntry[] {
  return lines.map((entry, index) => ({ ...entry, sequence: index + 1 }));
}

export const SOUND: Recorded = {
  executions: [EXECUTION],
  history: numbered(LINES),
  told: [
    { kind: 'Started', execution: ID, idempotencyKey: 'a' },
    { kind: 'Started', execution: ID, idempotencyKey: 'a' },
    { kind: 'Applied', event: event(1), token: 1 },
    { kind: 'Retried', task: TASK, token: 1 },
    { kind: 'Finished', task: TASK, token: 3 },
    { kind: 'Commanded', execution: ID, command: 'Approve' },
  ],
  continues: new Map(),
  tenants: new Map([[BOX, ACME]]),
  isOver: true,
};

/** The sound record with its lines changed, and numbered anew. */
export function withLines(change: (lines: Omit<HistoryEntry, 'sequence'>[]) => void): Recorded {
  const lines = LINES.map((entry) => ({ ...entry }));
  change(lines);
  return { ...SOUND, told: [], history: numbered(lines) };
}

export function at(
  lines: Omit<HistoryEntry, 'sequence'>[],
  index: number,
): { -readonly [Key in keyof HistoryEntry]?: HistoryEntry[Key] } {
  return lines[index] as { -readonly [Key in keyof HistoryEntry]?: HistoryEntry[Key] };
}
