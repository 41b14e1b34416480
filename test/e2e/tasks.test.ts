/** The pages of docs/tasks/ are true: their commands are typed as they stand there, and show what the page says. */
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blocksOf, runPage } from '../support/page-runner.ts';

const pages = globSync('docs/tasks/*.md').toSorted();

test.each(pages.filter((page) => blocksOf(page).length > 0))('%s', async (page) => {
  expect(await runPage(page)).toBe(blocksOf(page).length);
});

test('the pages have commands: their reader has not gone blind', () => {
  expect(pages.flatMap(blocksOf).length).toBeGreaterThan(20);
});
