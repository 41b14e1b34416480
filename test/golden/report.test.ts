/** The report of the sample rollout as text at 80 columns, kept whole. UPDATE_GOLDEN=1 writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reportLines } from '../../src/cli/report/text.ts';
import { sampleReport } from '../support/sample-report.ts';

const FILE = 'test/golden/report/rolled-back.txt';

test('a rollout that was rolled back', () => {
  const text = `${reportLines(sampleReport(), 80).join('\n')}\n`;
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(FILE, text);
  expect(text).toBe(readFileSync(FILE, 'utf8'));
});
