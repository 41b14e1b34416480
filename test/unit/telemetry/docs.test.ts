/** Names and kinds of our metrics; docs/metrics.md lists every one with its type and labels, and none besides. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allMetrics, ourMetrics } from '../../support/all-metrics.ts';

test('the page and the registry name the same metrics, types and labels', async () => {
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const listed = page
    .split('\n')
    .filter((line) => line.startsWith('| `switchyard_'))
    .map((line) => {
      const [name = '', type = '', labels = ''] = line
        .split('|')
        .slice(1)
        .map((cell) => cell.trim());
      return `${name.replaceAll('`', '')} ${type} {${labels}}`;
    });
  const registered = (await ourMetrics(allMetrics())).map(
    ({ name, type, labels }) => `${name} ${type} {${labels.join(', ')}}`,
  );
  expect(listed.toSorted()).toEqual(registered.toSorted());
});

test('every name has a help text and the unit that its kind asks for', async () => {
  const all = await ourMetrics(allMetrics());
  expect(all.length).toBeGreaterThan(50);
  for (const { name, help, type } of all) {
    expect(name).toMatch(/^switchyard_[a-z]+(_[a-z]+)*$/);
    expect(`${name}: ${help}`).toMatch(/: [A-Z0-9].*\.$/);
    expect({ name, isTotal: name.endsWith('_total') }).toEqual({ name, isTotal: type === 'counter' });
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});
