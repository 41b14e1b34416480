/**
 * Text tables as kubectl prints them: upper-case headings, columns set apart by spaces, no lines. Pure. The last
 * column is never padded, so it may be long; on a terminal it is cut at the width instead of wrapping.
 */
import { stripVTControlCharacters } from 'node:util';
import { visible } from '../model/text.ts';

/** A column of a table of `Row`s. */
export interface Column<Row> {
  readonly heading: string;
  /** Control characters in it are not printed. */
  readonly text: (row: Row) => string;
  /** Puts colour around the text. */
  readonly paint?: (text: string, row: Row) => string;
  /** Shown with `-o wide` only. */
  readonly wide?: boolean;
}

const GAP = '  ';

export interface TableOptions {
  readonly wide: boolean;
  /** Characters in a line; absent: no limit. */
  readonly width?: number;
}

/** The lines of a table, the headings first. An empty text is shown as `-`. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string[] {
  const shown = columns.filter(({ wide }) => options.wide || wide !== true);
  const cells = [
    shown.map(({ heading }) => heading),
    ...rows.map((row) => shown.map((column) => cellOf(column, row))),
  ];
  return aligned(cells).map((line) => cut(line, options.width));
}

/** One line for each row, its cells below those of the others. The last cell is not padded. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, printedWidth(cell));
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - printedWidth(cell)),
    );
    return padded.join(GAP);
  });
}

function cellOf<Row>({ text, paint }: Column<Row>, row: Row): string {
  const shown = visible(text(row)) || '-';
  return paint === undefined ? shown : paint(shown, row);
}

/** Characters that a terminal shows; colours take none. */
export function printedWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** A line that fits; colours are dropped from a line that has to be cut. */
export function cut(line: string, width: number | undefined): string {
  if (width === undefined || printedWidth(line) <= width) return line;
  return `${stripVTControlCharacters(line).slice(0, Math.max(1, width - 1))}…`;
}
