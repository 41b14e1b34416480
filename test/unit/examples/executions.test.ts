/** What the demo's report says of executions, judged by what the store recorded. */
import { describe, expect, it } from 'vitest';
import { type ExecutionsEvidence, judgeExecutions } from '../../../examples/demo/executions.ts';
import { V1 } from '../../support/workflow/builders.ts';
import { FAULTS } from '../../support/workflow/faulty-records.ts';
import { EXECUTION, SOUND } from '../../support/workflow/sound-record.ts';

const NOTHING_LEFT = { events: 0, tasks: 0, deadLetters: 0 };

function evidence(more: Partial<ExecutionsEvidence> = {}): ExecutionsEvidence {
  const { executions, history, told } = SOUND;
  return {
    content: { executions, history, left: NOTHING_LEFT },
    told,
    notBegun: [],
    boxes: new Map([
      ['box-1', 'acme'],
      ['box-2', 'acme'],
    ]),
    takenAway: [],
    ...more,
  };
}

const SOUND_REPORT = {
  started: 1,
  finished: 1,
  failed: 0,
  lost: 0,
  appliedTwice: 0,
  wrongVersion: 0,
  wrongDelegate: 0,
};

describe("the executions of the demo's report", () => {
  it('are counted, a start that was promised twice once, and nothing is wrong with a sound record', () => {
    expect(judgeExecutions(evidence())).toEqual({
      report: SOUND_REPORT,
      byVersion: new Map([[V1, 1]]),
      faults: [],
    });
  });

  it.each(FAULTS)('have a fault where $what', ({ kind, record }) => {
    const { executions, history, told, tenants } = record;
    const { report, faults } = judgeExecutions(
      evidence({
        content: { executions, history, left: NOTHING_LEFT },
        told,
        boxes: new Map([...tenants].map(([box, tenant]) => [box, tenant])),
      }),
    );
    expect(report[kind === 'gaps' ? 'lost' : kind]).toBeGreaterThan(0);
    expect(faults.length).toBeGreaterThan(0);
  });

  it('have failed where one could not be begun', () => {
    const { report, faults } = judgeExecutions(evidence({ notBegun: ['nobody answered'] }));
    expect(report).toEqual({ ...SOUND_REPORT, failed: 1 });
    expect(faults).toEqual(['nobody answered']);
  });

  it('have failed where one ended in any other way than well', () => {
    const executions = [{ ...EXECUTION, state: 'Failed' as const, error: 'exited with 3' }];
    const { report, faults } = judgeExecutions(
      evidence({ content: { executions, history: SOUND.history, left: NOTHING_LEFT } }),
    );
    expect(report).toEqual({ ...SOUND_REPORT, finished: 0, failed: 1 });
    expect(faults).toEqual([`execution ${EXECUTION.id} ended Failed: exited with 3`]);
  });

  it('are lost where something is left in the store, or a version went before its executions had ended', () => {
    const { executions, history } = SOUND;
    const left = { ...NOTHING_LEFT, tasks: 2 };
    expect(judgeExecutions(evidence({ content: { executions, history, left } })).report.lost).toBe(1);
    const at = (time: number) => judgeExecutions(evidence({ takenAway: [{ version: V1, at: time }] }));
    const ended = EXECUTION.endedAt ?? 0;
    expect(at(ended).report).toEqual(SOUND_REPORT);
    expect(at(ended - 1).faults).toEqual([`v1 was taken away before execution ${EXECUTION.id} had ended`]);
  });
});
