// The judgement of runs of executions: it finds nothing where all went well, and each thing that can go wrong.
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { Execution, ExecutionId, HistoryEntry } from '../../../src/model/workflow.ts';
import type { DiaryLine } from '../../support/executions/diary.ts';
import { type Evidence, judge, type Wrong } from '../../support/executions/judgement.ts';
import { SOUND_EVIDENCE as SOUND } from '../../support/executions/sound-evidence.ts';

const [EXECUTION] = SOUND.store.executions as [Execution];
const [BEGAN, ENDED] = SOUND.diary as [DiaryLine, DiaryLine];

const withExecution = (change: Partial<Execution>): Evidence => ({
  ...SOUND,
  store: { ...SOUND.store, executions: [{ ...EXECUTION, ...change }] },
});
const withHistory = (change: (line: HistoryEntry) => HistoryEntry): Evidence => ({
  ...SOUND,
  store: { ...SOUND.store, history: SOUND.store.history.map(change) },
});

/** What was done, and where that must be found. */
const FAULTS: readonly (readonly [string, keyof Wrong, Evidence])[] = [
  [
    'an execution that a client was told of is gone',
    'lost',
    { ...SOUND, store: { ...SOUND.store, executions: [], history: [] }, diary: [] },
  ],
  ['an execution never ends', 'lost', withExecution({ state: 'Running' })],
  ['a command that counts as done was never done', 'lost', { ...SOUND, diary: [BEGAN] }],
  [
    'tasks are left although all has ended',
    'lost',
    { ...SOUND, store: { ...SOUND.store, left: { events: 0, tasks: 1, deadLetters: 0 } } },
  ],
  [
    'an execution was begun that nobody was told of',
    'appliedTwice',
    {
      ...SOUND,
      store: {
        ...SOUND.store,
        executions: [EXECUTION, { ...EXECUTION, id: 'other' as ExecutionId }],
      },
    },
  ],
  ['a command ran twice under one lease', 'appliedTwice', { ...SOUND, diary: [BEGAN, BEGAN, ENDED] }],
  [
    'a task that may run once ran again under another lease',
    'appliedTwice',
    { ...SOUND, diary: [BEGAN, ENDED, { ...BEGAN, token: 2 }] },
  ],
  [
    'a command ran in a delegate of another version',
    'wrongVersion',
    { ...SOUND, diary: [{ ...BEGAN, boxVersion: 'v2' }, ENDED] },
  ],
  [
    'a manager of another version applied a step',
    'wrongVersion',
    withHistory((line) =>
      line.kind === 'Stepped' ? { ...line, worker: { ...line.worker, version: 'v2' as never } } : line,
    ),
  ],
  [
    'a command ran on a box of another tenant',
    'wrongDelegate',
    { ...SOUND, tenants: new Map([['box-1', 'umbrella']]) },
  ],
  ['a box worked without the lease', 'wrongDelegate', { ...SOUND, diary: [{ ...BEGAN, token: 9 }, ENDED] }],
  ['the result is not what it must be', 'unexpected', withExecution({ result: 'nearly done' })],
  ['the execution failed though it was not made to', 'unexpected', withExecution({ state: 'Failed' })],
  ['a version was retired without a certificate', 'retirements', { ...SOUND, events: [] }],
  [
    'a version was retired, and worked on afterwards',
    'retirements',
    withHistory((line) => (line.kind === 'Ended' ? { ...line, at: instant(21) } : line)),
  ],
  ['a version was retired with an execution open', 'retirements', withExecution({ endedAt: instant(21) })],
  [
    'traffic moved before all delegates had come',
    'parity',
    { ...SOUND, chapters: SOUND.chapters.map((each) => ({ ...each, parity: { ready: 0, expected: 1 } })) },
  ],
  [
    'traffic moved though the store knows of no delegate',
    'parity',
    { ...SOUND, chapters: SOUND.chapters.map((each) => ({ ...each, registered: [] })) },
  ],
];

describe('the judgement of a run', () => {
  test('finds nothing where all went well', () => {
    const { wrong, ...figures } = judge(SOUND);
    expect(Object.values(wrong).flat()).toEqual([]);
    expect(figures).toEqual({
      started: 1,
      finished: { Succeeded: 1, Failed: 0, Cancelled: 0 },
      versions: { v1: 1 },
      commands: { began: 1, again: 0 },
    });
  });

  test.each(FAULTS)('finds that %s', (_what, kind, evidence) => {
    expect(judge(evidence).wrong[kind]).not.toEqual([]);
  });
});
