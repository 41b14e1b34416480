/** The evidence of a run in which all went well, in little, for tests of its judgement. */
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { Execution, ExecutionId, HistoryEntry, TaskId } from '../../../src/model/workflow.ts';
import { ACME, delegateWorker, V1, worker } from '../workflow/builders.ts';
import { line } from '../workflow/sound-record.ts';
import type { Evidence } from './judgement.ts';
import { KINDS, type Kind, type Made } from './kinds.ts';

const ID = 'execution-1' as ExecutionId;
const TASK = 'task-1' as TaskId;
const MADE: Made = { number: 7, mark: '', diary: '', web: '', chance: 0 };
const ONCE_KIND = KINDS.find(({ name }) => name === 'once') as Kind;

const EXECUTION: Execution = {
  id: ID,
  tenant: tenantName(ACME),
  version: versionName(V1),
  machine: 'pipeline',
  name: 'once',
  priority: 5,
  state: 'Succeeded',
  data: { steps: { once: { state: 'Succeeded', output: { exitCode: 0, stdout: 'done' } } } },
  revision: 2,
  startedAt: instant(1),
  updatedAt: instant(9),
  endedAt: instant(9),
  result: 'done',
  error: '',
};

const LINES: readonly Omit<HistoryEntry, 'sequence'>[] = [
  line('Started', 0),
  line('Stepped', 1, { event: '1' as never, token: 1, step: 'Start' }),
  line('TaskCreated', 1, { task: TASK }),
  line('TaskLeased', 1, { task: TASK, token: 1, delegate: delegateWorker('box-1') }),
  line('TaskFinished', 1, { task: TASK, token: 1, delegate: delegateWorker('box-1') }),
  line('Stepped', 2, { event: '2' as never, token: 1, step: 'TaskFinished', worker: worker() }),
  line('Ended', 2),
];

const WHERE = { execution: ID, version: V1, tenant: ACME, step: 'once', box: 'box-1', boxVersion: V1 };

export const SOUND_EVIDENCE: Evidence = {
  store: {
    executions: [EXECUTION],
    history: LINES.map((entry, index) => ({ ...entry, execution: ID, sequence: index + 1 })),
    left: { events: 0, tasks: 0, deadLetters: 0 },
  },
  diary: [
    { what: 'began', ...WHERE, task: TASK, token: 1 },
    { what: 'ended', ...WHERE, task: TASK, token: 1 },
  ],
  begun: [
    {
      id: ID,
      tenant: ACME,
      kind: ONCE_KIND,
      made: MADE,
      isGivenUp: false,
      end: { id: ID, version: V1, state: 'Succeeded', result: 'done' },
    },
  ],
  told: [{ kind: 'Started', execution: ID, idempotencyKey: 'key-7' }],
  events: [
    {
      at: 20,
      action: 'BeginRetirement',
      reason: `${V1} was torn down and has no open work, certificate: atomic, 0 counted in one transaction with the fence, as of then`,
    },
  ],
  chapters: [
    {
      chapter: { kind: 'Rollout', version: 'v2' },
      seconds: 9,
      parity: { ready: 1, expected: 1 },
      registered: ['box-1'],
    },
  ],
  retired: [V1],
  tenants: new Map([['box-1', ACME]]),
};
