/** Colours for views under test: none, or the real ones. */
import { styleText } from 'node:util';
import type { Paint } from '../../src/cli/shell.ts';

const same = (text: string): string => text;
export const plain: Paint = { good: same, bad: same, busy: same, faint: same };

const style = (format: 'green' | 'red' | 'yellow' | 'dim') => (text: string) =>
  styleText(format, text, { validateStream: false });
export const coloured: Paint = {
  good: style('green'),
  bad: style('red'),
  busy: style('yellow'),
  faint: style('dim'),
};
