import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ALLOWED_TRANSITIONS } from '../../../src/rollout/transition.ts';

test('docs/states.md draws exactly the transitions that the code allows', () => {
  const page = readFileSync(new URL('../../../docs/states.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| ([A-Z]\w+) \| ([\w, ]+) \|$/gm)].map(([, from, to]) => [
    from,
    to?.split(', '),
  ]);
  expect(Object.fromEntries(rows)).toEqual(ALLOWED_TRANSITIONS);
});
