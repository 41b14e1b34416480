/** Every link between the pages, and from a page to a file, leads somewhere. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, linksOf, pages } from '../support/documents.ts';

test.each(pages())('%s links only to what exists', (page) => {
  const dead = linksOf(page).filter(({ text }) => !/^[a-z]+:/.test(text) && !exists(page, text));
  expect(dead).toEqual([]);
});

function exists(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || !target.endsWith('.md') || anchorsOf(target).includes(anchor);
}
