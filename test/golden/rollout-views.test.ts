/** How a rollout looks on terminals of 80 and 120 columns, in a pipe, and why it stands where it stands. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/cli/views/rollout.ts';
import { rolloutLines } from '../../src/cli/views/rollout.ts';
import { whyLines } from '../../src/cli/views/why.ts';
import type { RolloutView } from '../../src/operations/rollout-types.ts';
import { expectGolden } from '../support/golden-text.ts';
import { plain } from '../support/paints.ts';
import { NOW } from '../support/rollout-records.ts';
import { aPausedView, aRegisteringView, aRolledBackView, aRolloutView, rolloutMessageOf } from '../support/rollout-views.ts';

const views: Readonly<Record<string, () => RolloutView>> = {
  shifting: aRolloutView,
  paused: aPausedView,
  'rolled-back': aRolledBackView,
  registering: aRegisteringView,
};
const places: Readonly<Record<string, Partial<Frame>>> = {
  '80': { width: 80 },
  '80x24': { width: 80, height: 23 },
  '120': { width: 120 },
  'pipe-wide': { wide: true },
};
const cases = Object.entries(views).flatMap(([view, make]) =>
  Object.entries(places).map(([place, frame]) => [view, place, make, frame] as const),
);

describe('get rollout', () => {
  test.each(cases)('%s at %s', (view, place, make, given) => {
    const frame = { paint: plain, now: NOW, wide: false, ...given };
    const lines = rolloutLines(rolloutMessageOf(make()), frame);
    expectGolden(`test/golden/rollout-views/${view}.${place}.txt`, `${lines.join('\n')}\n`);
  });
});

describe('explain SERVICE', () => {
  test.each(Object.entries(views))('%s', (view, make) => {
    const lines = whyLines(rolloutMessageOf(make()), { paint: plain, now: NOW, wide: false, width: 80 });
    expectGolden(`test/golden/rollout-views/${view}.why.txt`, `${lines.join('\n')}\n`);
  });
});

test('a terminal of 24 lines shows the whole of a rollout that has no trouble', () => {
  const lines = rolloutLines(rolloutMessageOf(aRolloutView()), {
    paint: plain,
    now: NOW,
    wide: false,
    width: 80,
    height: 23,
  });
  expect(lines.length).toBeLessThanOrEqual(23);
});

test('the page of the command line shows the view as it is', () => {
  const shown = readFileSync('test/golden/rollout-views/shifting.80x24.txt', 'utf8').trimEnd().split('\n');
  const indented = shown.map((line) => (line === '' ? '' : `    ${line}`)).join('\n');
  expect(readFileSync('docs/cli.md', 'utf8')).toContain(indented);
});
