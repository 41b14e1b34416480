/** The history checker finds nothing in a sound record, and each kind of fault that is put into it. */
import { describe, expect, test } from 'vitest';
import type { VersionName } from '../../../src/model/names.ts';
import { delegateWorker, V1, V2, worker } from '../../support/workflow/builders.ts';
import { FAULTS } from '../../support/workflow/faulty-records.ts';
import { checkHistory, NO_FINDINGS, type Recorded } from '../../support/workflow/history-checker.ts';
import { at, EXECUTION, event, line, SOUND, withLines } from '../../support/workflow/sound-record.ts';

describe('a sound record', () => {
  test('has no findings, in whatever order its lines come', () => {
    expect(checkHistory(SOUND)).toEqual(NO_FINDINGS);
    expect(checkHistory({ ...SOUND, history: SOUND.history.toReversed() })).toEqual(NO_FINDINGS);
  });

  test('may be of an execution that goes on, while it is not over', () => {
    const { endedAt: _, ...rest } = EXECUTION;
    const running: Recorded = {
      ...SOUND,
      isOver: false,
      executions: [{ ...rest, state: 'Running', revision: 1 }],
      history: SOUND.history.slice(0, 7),
      told: [],
    };
    expect(checkHistory(running)).toEqual(NO_FINDINGS);
    expect(checkHistory({ ...running, isOver: true }).lost).toEqual([expect.stringContaining('never ended')]);
  });

  test('may be of a failed execution that was retried', () => {
    const retried = withLines((lines) =>
      lines.push(
        line('Commanded', 2, { step: 'Retry' }),
        line('Stepped', 3, { event: event(9), step: 'Retry' }),
        line('Ended', 3),
      ),
    );
    expect(checkHistory({ ...retried, executions: [{ ...EXECUTION, revision: 3 }] })).toEqual(NO_FINDINGS);
  });

  test('may be the work of a version that continues it', () => {
    const continued = withLines((lines) => {
      at(lines, 1).worker = worker(V2);
      at(lines, 3).delegate = delegateWorker('box-1', V2);
    });
    expect(
      checkHistory({ ...continued, continues: new Map<VersionName, readonly VersionName[]>([[V2, [V1]]]) }),
    ).toEqual(NO_FINDINGS);
  });

  test('may have a task that nobody reported any more', () => {
    const failed = withLines((lines) => {
      delete at(lines, 7).delegate;
    });
    expect(checkHistory(failed)).toEqual(NO_FINDINGS);
  });
});

describe('each fault is found, and told as what it is', () => {
  test.each(FAULTS)('$what', ({ kind, record, says }) => {
    const findings = checkHistory(record);
    expect(findings[kind].join('\n')).toContain(says);
  });

  test.each(FAULTS)('$what is found as nothing that it is not', ({ kind, record }) => {
    const { [kind]: _, ...others } = checkHistory(record);
    const { [kind]: __, ...none } = NO_FINDINGS;
    // What makes a step count twice, or tears a hole, also shows where the numbers do not fit.
    if (kind === 'wrongVersion' || kind === 'wrongDelegate') expect(others).toEqual(none);
    else
      expect({ ...others, gaps: [], lost: [], appliedTwice: [] }).toEqual({
        ...none,
        gaps: [],
        lost: [],
        appliedTwice: [],
      });
  });
});
