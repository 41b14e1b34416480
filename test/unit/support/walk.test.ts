/** What an onlooker of a rollout that walks by itself notes for the judge. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ROLLOUT_STATE, STEP_PROGRESS } from '../../../src/admin/enums.ts';
import { RolloutViewSchema } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';
import { followWalk, type Onlooker, type Walked } from '../../support/system/walk.ts';
import { defaultVersions, History } from '../../support/traffic/history.ts';

const STEPS = ['Deploy', 'Verify', 'Shift-10', 'Shift-50', 'Shift-100', 'Soak'];
const EVERYWHERE = timestampFromMs(1);

/** A look at the rollout: at which step it is, whether proxies have followed, and how it ended. */
interface Shown {
  readonly step: string;
  readonly everywhere?: boolean;
  readonly end?: keyof typeof ROLLOUT_STATE;
}

function viewOf({ step, everywhere = true, end }: Shown): MessageInitShape<typeof RolloutViewSchema> {
  const at = STEPS.indexOf(step);
  return {
    rollout: {
      id: 'manager_v2_1',
      version: 'v2',
      step: { name: step },
      state: ROLLOUT_STATE[end ?? 'Progressing'],
      ...(everywhere ? { stepEverywhere: EVERYWHERE } : {}),
      ...(end === undefined ? {} : { endedAt: timestampFromMs(5) }),
    },
    steps: STEPS.map((name, index) => ({
      step: { name },
      progress: index < at ? STEP_PROGRESS.Done : index === at ? STEP_PROGRESS.Current : STEP_PROGRESS.Ahead,
    })),
  };
}

/** Follows a rollout that shows itself so, one look after the other; undefined: no controller answers. */
async function follow(shown: readonly (Shown | undefined)[]) {
  const history = new History({ from: 'v1', to: 'v1', weight: 100, active: ['v1'] });
  /** The weights that a request may meet that is sent and answered at the time of each look. */
  const weights: (readonly number[])[] = [];
  const legal: string[][] = [];
  const deeds: string[] = [];
  const lookedAt: number[] = [];
  const looks = shown.values();
  const note = () => {
    const now = performance.now();
    const stages = history.during(now, now);
    weights.push(stages.map(({ weight }) => weight));
    legal.push([...new Set(stages.flatMap(defaultVersions))].toSorted());
  };
  const call = async (method: string) => {
    if (method === 'listEvents') return { events: [] };
    note();
    lookedAt.push(performance.now());
    const next = looks.next().value;
    if (next === undefined) throw new Error('nobody answers');
    return { view: create(RolloutViewSchema, viewOf(next)) };
  };
  const onlooker: Onlooker = {
    service: 'manager',
    steps: [10, 50, 100],
    world: { call: call as unknown as Onlooker['world']['call'], inSync: async () => {} },
    screen: { say: () => {} },
    history,
    probe: { afterOneAnswer: async () => performance.now() },
  };
  const walked: Walked = await followWalk(onlooker, {
    version: 'v2',
    baseline: 'v1',
    active: ['v1', 'v2'],
    order: async () => {},
    atStep: { 'Shift-10': async () => void deeds.push('Shift-10') },
  });
  note();
  /** The weights that may be in force, as is known in the end, in the middle between a look and the one before. */
  const weightsBefore = (look: number): readonly number[] => {
    const between = ((lookedAt[look - 1] ?? 0) + (lookedAt[look] ?? 0)) / 2;
    return history.during(between, between).map(({ weight }) => weight);
  };
  return { walked, weights, legal, deeds, weightsBefore };
}

describe('an onlooker of a rollout', () => {
  it('lets a step count from the look before it was seen, and alone once every proxy has followed', async () => {
    const { walked, weights, deeds } = await follow([
      { step: 'Deploy' },
      { step: 'Verify' },
      { step: 'Shift-10', everywhere: false },
      { step: 'Shift-10' },
      { step: 'Shift-10' },
      { step: 'Shift-50' },
      { step: 'Soak' },
      { step: 'Soak', end: 'Succeeded' },
    ]);
    expect(walked.outcome).toBe('Succeeded');
    expect(weights).toEqual([[100, 0], [100, 0], [0], [0, 10], [10], [10], [50], [100], [100]]);
    expect(deeds).toEqual(['Shift-10']);
  });

  it('goes on looking where no controller answers for a while', async () => {
    const { weights } = await follow([
      { step: 'Shift-50' },
      undefined,
      undefined,
      { step: 'Soak', end: 'Succeeded' },
    ]);
    expect(weights.at(-1)).toEqual([100]);
  });

  it('expects default traffic on the old version alone when the rollout was aborted', async () => {
    const { walked, legal, weightsBefore } = await follow([
      { step: 'Verify' },
      { step: 'Shift-10' },
      { step: 'Shift-10', end: 'Aborted' },
    ]);
    // It went back at some time since the look that had not shown it.
    expect(weightsBefore(2)).toEqual([10, 100]);
    expect(walked).toMatchObject({ outcome: 'Aborted', step: 'Shift-10' });
    expect(legal).toEqual([['v1'], ['v1'], ['v1', 'v2'], ['v1']]);
  });
});
