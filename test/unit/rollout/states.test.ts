import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { ROLLOUT_STATES } from '../../../src/model/rollout.ts';
import { ForbiddenRolloutStateError, inState, ROLLOUT_TRANSITIONS } from '../../../src/rollout/states.ts';
import { ALLOWED_TRANSITIONS } from '../../../src/rollout/transition.ts';
import { aRollout } from '../../support/rollouts.ts';

const page = readFileSync(new URL('../../../docs/states.md', import.meta.url), 'utf8');

/** The rows of the table whose first column has the header. */
function tableOf(header: string): Record<string, string[]> {
  const [, rest = ''] = page.split(`| ${header} | to |\n|---|---|\n`);
  const rows = rest.split('\n\n')[0] ?? '';
  return Object.fromEntries(
    [...rows.matchAll(/^\| (\w+) \| ([\w, ]+) \|$/gm)].map(([, from = '', to = '']) => [
      from,
      to.split(', '),
    ]),
  );
}

test('docs/states.md draws exactly the transitions of versions that the code allows', () => {
  expect(tableOf('from')).toEqual(ALLOWED_TRANSITIONS);
});

test('docs/states.md draws exactly the transitions of rollouts that the code allows', () => {
  expect(tableOf('rollout from')).toEqual(ROLLOUT_TRANSITIONS);
});

const states = fc.constantFrom(...ROLLOUT_STATES);

test('a rollout changes its state only as the table says, and keeps since while neither state nor reason changes', () => {
  fc.assert(
    fc.property(states, states, (from, to) => {
      const rollout = aRollout({ state: from, stateReason: 'Was', since: instant(5) });
      const next = () => inState(rollout, { state: to, stateReason: 'Was', because: '', now: instant(9) });
      if (from === to) expect(next().since).toBe(5);
      else if (ROLLOUT_TRANSITIONS[from].includes(to)) expect(next()).toMatchObject({ state: to, since: 9 });
      else expect(next).toThrow(ForbiddenRolloutStateError);
    }),
  );
});
