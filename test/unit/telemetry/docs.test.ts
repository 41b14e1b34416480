/** docs/metrics.md lists every metric that exists with its type and labels, and none that does not. */
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
