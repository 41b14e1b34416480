/** Text that is broken into lines at its spaces. Pure. */
import { cut, printedWidth } from './table.ts';

/** Lines of at most `width` characters; a word that is longer is cut. Absent width: one line. */
export function wrap(text: string, width: number | undefined): string[] {
  if (width === undefined || printedWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && printedWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => cut(each, width));
}
