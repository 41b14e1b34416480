// Records with one fault each, which the history checker must find.
import { tenantName } from '../../../src/model/names.ts';
import type { DelegateId, ExecutionId, HistoryEntry } from '../../../src/model/workflow.ts';
import { delegateWorker, V2, worker } from './builders.ts';
import type { FaultKind, Recorded } from './history-checker.ts';
import { at, EXECUTION, event, ID, line, SOUND, TASK, withLines } from './sound-record.ts';

/** A record that is not sound, what kind of fault it has, and what the checker's sentence says of it. */
export interface FaultyRecord {
  readonly what: string;
  readonly kind: FaultKind;
  readonly record: Recorded;
  readonly says: string;
}

export const FAULTS: readonly FaultyRecord[] = [
  {
    what: 'a started execution that is not there',
    kind: 'lost',
    says: 'had started',
    record: { ...SOUND, executions: [], history: [], told: SOUND.told.slice(0, 1) },
  },
  {
    what: 'an execution of which only the history is there',
    kind: 'lost',
    says: 'not there itself',
    record: { ...SOUND, executions: [], told: [] },
  },
  {
    what: 'an applied step that no history has',
    kind: 'lost',
    says: 'event 7 was applied',
    record: { ...SOUND, told: [{ kind: 'Applied', event: event(7), token: 1 }] },
  },
  {
    what: 'a step that history has under another token',
    kind: 'lost',
    says: 'under token 2',
    record: { ...SOUND, told: [{ kind: 'Applied', event: event(1), token: 2 }] },
  },
  {
    what: 'a result that was taken and is nowhere',
    kind: 'lost',
    says: 'told Finished for task task-1',
    record: { ...SOUND, told: [{ kind: 'Finished', task: TASK, token: 2 }] },
  },
  {
    what: 'a retry that is nowhere',
    kind: 'lost',
    says: 'told Retried',
    record: { ...SOUND, told: [{ kind: 'Retried', task: TASK, token: 3 }] },
  },
  {
    what: 'a command that was accepted twice and recorded once',
    kind: 'lost',
    says: 'accepted 2 times and recorded 1 times',
    record: {
      ...SOUND,
      told: [1, 2].map(() => ({ kind: 'Commanded', execution: ID, command: 'Approve' })),
    },
  },
  {
    what: 'a task that is left when its execution has ended',
    kind: 'lost',
    says: 'neither finished nor cancelled',
    record: withLines((lines) => lines.splice(7, 1)),
  },
  {
    what: 'an event that was applied twice',
    kind: 'appliedTwice',
    says: 'event 1 was applied 2 times',
    record: withLines((lines) => Object.assign(at(lines, 9), { event: event(1) })),
  },
  {
    what: 'two steps that led to one revision',
    kind: 'appliedTwice',
    says: '2 steps led to revision 1',
    record: { ...withLines((lines) => lines.splice(2, 0, line('Stepped', 1, { event: event(8) }))) },
  },
  {
    what: 'a step after the end',
    kind: 'appliedTwice',
    says: 'after its end',
    record: {
      ...withLines((lines) =>
        lines.push(line('Stepped', 3, { event: event(8), step: 'Timer' }), line('Ended', 3)),
      ),
      executions: [{ ...EXECUTION, revision: 3 }],
    },
  },
  {
    what: 'a task that finished twice',
    kind: 'appliedTwice',
    says: 'was over before',
    record: withLines((lines) => lines.splice(8, 0, { ...(lines[7] as HistoryEntry) })),
  },
  {
    what: 'a result that came after the task was cancelled',
    kind: 'appliedTwice',
    says: 'was over before',
    record: withLines((lines) => lines.splice(7, 0, line('TaskCancelled', 1, { task: TASK }))),
  },
  {
    what: 'a result under a lease that was over',
    kind: 'appliedTwice',
    says: 'under token 2, and was leased last under 3',
    record: withLines((lines) => Object.assign(at(lines, 7), { token: 2 })),
  },
  {
    what: 'a lease with a token that does not rise',
    kind: 'appliedTwice',
    says: 'under token 1 after 1',
    record: withLines((lines) => Object.assign(at(lines, 5), { token: 1 })),
  },
  {
    what: 'one key that began two executions',
    kind: 'appliedTwice',
    says: 'began 2 executions',
    record: {
      ...SOUND,
      executions: [EXECUTION, { ...EXECUTION, id: 'other' as ExecutionId }],
      history: [
        ...SOUND.history,
        ...SOUND.history.map((entry) => ({ ...entry, execution: 'other' as ExecutionId })),
      ],
      told: [
        { kind: 'Started', execution: ID, idempotencyKey: 'a' },
        { kind: 'Started', execution: 'other' as ExecutionId, idempotencyKey: 'a' },
      ],
    },
  },
  {
    what: 'a step by a manager of another version',
    kind: 'wrongVersion',
    says: 'of v2',
    record: withLines((lines) => Object.assign(at(lines, 1), { worker: worker(V2) })),
  },
  {
    what: "a start on a version that is not the manager's",
    kind: 'wrongVersion',
    says: 'of v2',
    record: withLines((lines) => Object.assign(at(lines, 0), { worker: worker(V2) })),
  },
  {
    what: 'a line of another version than its execution',
    kind: 'wrongVersion',
    says: 'is of version v2',
    record: withLines((lines) => Object.assign(at(lines, 8), { version: V2 })),
  },
  {
    what: 'a task at a delegate of another version',
    kind: 'wrongDelegate',
    says: 'of version v2',
    record: withLines((lines) => Object.assign(at(lines, 5), { delegate: delegateWorker('box-1', V2) })),
  },
  {
    what: 'a task at a delegate of another tenant',
    kind: 'wrongDelegate',
    says: 'of tenant beta',
    record: { ...SOUND, tenants: new Map([['box-2' as DelegateId, tenantName('beta')]]) },
  },
  {
    what: 'a result from a delegate that did not have the task',
    kind: 'wrongDelegate',
    says: 'box-1 reported it',
    record: withLines((lines) => Object.assign(at(lines, 7), { delegate: delegateWorker('box-1') })),
  },
  {
    what: 'a line that is missing',
    kind: 'gaps',
    says: 'line 6 follows line 4',
    record: { ...SOUND, told: [], history: SOUND.history.filter(({ sequence }) => sequence !== 5) },
  },
  {
    what: 'a line that is there twice',
    kind: 'gaps',
    says: 'line 9 follows line 9',
    record: { ...SOUND, history: [...SOUND.history, SOUND.history[8] as HistoryEntry] },
  },
  {
    what: 'a history without its beginning',
    kind: 'gaps',
    says: 'does not begin with Started',
    record: withLines((lines) => lines.shift()),
  },
  {
    what: 'a revision that no step led to',
    kind: 'gaps',
    says: 'is of revision 1, after revision 0',
    record: withLines((lines) => lines.splice(1, 1)),
  },
  {
    what: 'an execution that is further than its history',
    kind: 'gaps',
    says: 'at revision 3, and its history ends at 2',
    record: { ...SOUND, executions: [{ ...EXECUTION, revision: 3 }] },
  },
  {
    what: 'an end that no history has',
    kind: 'gaps',
    says: 'does not say that it ended',
    record: withLines((lines) => lines.pop()),
  },
  {
    what: 'a step without its event',
    kind: 'gaps',
    says: 'names no event',
    record: withLines((lines) => delete at(lines, 1).event),
  },
  {
    what: 'a task that nobody created',
    kind: 'gaps',
    says: 'begins with TaskLeased',
    record: withLines((lines) => lines.splice(2, 1)),
  },
];
