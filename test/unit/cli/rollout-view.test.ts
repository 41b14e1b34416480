/** What must hold of the views of a rollout whatever the controller sends. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { treeLines } from '../../../src/cli/tree.ts';
import { rolloutLines } from '../../../src/cli/views/rollout.ts';
import { RolloutChanges } from '../../../src/cli/views/rollout-changes.ts';
import { whyLines } from '../../../src/cli/views/why.ts';
import { visibleFields } from '../../../src/cli/visible-fields.ts';
import { wrap } from '../../../src/cli/wrap.ts';
import { CHECK_STATES } from '../../../src/model/check.ts';
import { ROLLOUT_STATES, type RolloutState } from '../../../src/model/rollout.ts';
import type { RolloutView } from '../../../src/operations/rollout-types.ts';
import { coloured, plain } from '../../support/paints.ts';
import {
  aCheck,
  ago,
  aMeasurement,
  aRollout,
  aRun,
  NOW,
  stepsAt,
  v41,
} from '../../support/rollout-records.ts';
import { aRolloutView, rolloutMessageOf } from '../../support/rollout-views.ts';

/** Words of any length, among them what would move the cursor, change colours or turn the direction of writing. */
const text = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.lorem({ maxCount: 30 }),
  fc.constantFrom('\u001b[2J\u001b[31mred', 'a\r\nb\tc', '\u202egnihtemos', '\u0007\u009b1A', ''),
);
const number = fc.oneof(
  fc.double(),
  fc.nat(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 0, 1e-9),
);

const checks = fc.array(
  fc.record({
    name: text,
    state: fc.constantFrom(...CHECK_STATES),
    because: text,
    value: number,
    limit: text,
  }),
  { maxLength: 4 },
);
const views: fc.Arbitrary<RolloutView> = fc
  .record({
    state: fc.constantFrom<RolloutState>(...ROLLOUT_STATES),
    current: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
    texts: fc.tuple(text, text, text, text),
    checks,
    waits: fc.array(text, { maxLength: 3 }),
    isReady: fc.boolean(),
    isMeasured: fc.boolean(),
  })
  .map(({ state, current, texts, checks: made, waits, isReady, isMeasured }) => {
    const [because, reason, startedBy, problem] = texts;
    const { actualWeight: _, ...view } = aRolloutView();
    return {
      ...view,
      record: aRollout({ state, because, reason, startedBy, stateReason: problem }),
      steps: stepsAt(current),
      ...(isMeasured && { actualWeight: { percent: 12.3, requests: 88 } }),
      checks: made.map(({ name, state: word, because: why, value, limit }) => ({
        check: aCheck(name),
        run: aRun(aMeasurement(name, { value, limit }), { check: name, state: word, because: why }),
      })),
      verdict: { state: 'Error', because, deciding: [] },
      waitsFor: waits,
      openWork: [{ version: v41, problem }],
      wayBack: { isReady, readyEndpoints: 1, problems: [problem] },
      freeze: { reason, by: startedBy, since: ago(5) },
    };
  });
const width = fc.integer({ min: 20, max: 200 });

describe('a view of a rollout', () => {
  test('has no line that is wider than the terminal', () => {
    fc.assert(
      fc.property(views, width, fc.boolean(), (view, columns, wide) => {
        const message = rolloutMessageOf(view);
        const frame = { paint: plain, now: NOW, wide, width: columns };
        const lines = [...rolloutLines(message, frame), ...whyLines(message, frame)];
        expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test('is as wide with colours as without', () => {
    fc.assert(
      fc.property(views, width, (view, columns) => {
        const message = rolloutMessageOf(view);
        const frame = { now: NOW, wide: false, width: columns };
        const shown = rolloutLines(message, { ...frame, paint: coloured }).map(stripVTControlCharacters);
        expect(shown).toEqual(rolloutLines(message, { ...frame, paint: plain }));
      }),
    );
  });

  test('shows nothing that moves the cursor, changes colours or hides what is written', () => {
    fc.assert(
      fc.property(views, (view) => {
        const message = rolloutMessageOf(view);
        const frame = { paint: plain, now: NOW, wide: true };
        const lines = [
          ...rolloutLines(message, frame),
          ...whyLines(message, frame),
          ...new RolloutChanges().next(message, frame),
        ];
        expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
      }),
    );
  });

  test('names the state, the step and each check, however low the terminal is', () => {
    const lines = rolloutLines(rolloutMessageOf(aRolloutView()), {
      paint: plain,
      now: NOW,
      wide: false,
      width: 80,
      height: 10,
    }).join('\n');
    expect(lines).toMatch(/Progressing \(Measuring\)/);
    expect(lines).toContain('4/6 Shift-25');
    expect(lines).toMatch(/success-rate .*99\.83 %/);
    expect(lines).toMatch(/latency-p99 .*183\.4 ms/);
  });
});

describe('a rollout that is watched in a pipe', () => {
  const frame = { paint: plain, now: NOW, wide: false };

  test('is shown whole once, then one line for each thing that changed', () => {
    const changes = new RolloutChanges();
    const first = changes.next(rolloutMessageOf(aRolloutView()), frame);
    expect(first.length).toBeGreaterThan(10);
    const older = { ...frame, now: NOW + 60_000 };
    expect(changes.next(rolloutMessageOf(aRolloutView()), older)).toEqual([]);
    const measuredAnew = aRolloutView({ actualWeight: { percent: 25.4, requests: 4000 } });
    expect(changes.next(rolloutMessageOf(measuredAnew), older)).toEqual([]);
    const paused = aRolloutView({ record: aRollout({ state: 'Paused', stateReason: 'Operator' }) });
    expect(changes.next(rolloutMessageOf(paused), older)).toEqual([
      expect.stringMatching(/^2026-11-23 15:05:05Z {2}॥ Paused {2}4\/6 Shift-25, 25% set/),
    ]);
  });

  test('tells a check when its state changes, with value, samples and limit', () => {
    const changes = new RolloutChanges();
    changes.next(rolloutMessageOf(aRolloutView()), frame);
    const failed = aMeasurement('success-rate', { state: 'Failed', value: 94.8, because: 'too low' });
    const view = aRolloutView();
    const [, latency] = view.checks;
    const run = aRun(failed, { state: 'Failed', failed: 1, because: 'success rate 94.8 % is below 99 %' });
    const next = { ...view, checks: [{ check: aCheck('success-rate'), run }, ...(latency ? [latency] : [])] };
    expect(changes.next(rolloutMessageOf(next), frame)).toEqual([
      '2026-11-23 15:04:00Z  check success-rate at Shift-25: ✖ Failed (94.8 %, n 1,204, at least 99 %): success rate 94.8 % is below 99 %',
    ]);
  });

  test('begins anew with the next rollout', () => {
    const changes = new RolloutChanges();
    const view = rolloutMessageOf(aRolloutView());
    const whole = changes.next(view, frame);
    const other = rolloutMessageOf(aRolloutView({ record: aRollout({ id: 'manager_v44_18' as never }) }));
    expect(changes.next(other, frame)).toHaveLength(whole.length);
  });
});

test('a text is broken at its spaces, and no word is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), width, (words, columns) => {
      const lines = wrap(words.join(' '), columns);
      expect(lines.join(' ')).toBe(words.join(' '));
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns);
    }),
  );
});

test('a tree shows what belongs to what, and goes on below a branch whose text is too long', () => {
  const branches = [
    { text: 'a', below: [{ text: 'one two three four', wraps: true }, { text: 'one two three four' }] },
    { text: 'b', below: [{ text: 'c' }] },
  ];
  expect(treeLines(branches, 20)).toEqual([
    '├── a',
    '│   ├── one two',
    '│   │   three four',
    '│   └── one two thr…',
    '└── b',
    '    └── c',
  ]);
});

test('a message that is made visible keeps all that is no text', () => {
  const message = {
    n: 5n,
    list: ['a\nb', 1],
    bytes: new Uint8Array([1]),
    nothing: undefined,
    deep: { at: 0 },
  };
  expect(visibleFields(message)).toEqual({ ...message, list: ['a b', 1] });
});
