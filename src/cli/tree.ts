/** Trees as terminals show them: `├──` before each branch, `└──` before the last. Pure. */
import { cut } from './table.ts';
import { wrap } from './wrap.ts';

/** A line with what belongs to it. */
export interface Branch {
  readonly text: string;
  /** True: a text that is too long goes on in the next line; else it is cut. */
  readonly wraps?: boolean;
  readonly below?: readonly Branch[];
}

/** The lines of a tree, none wider than `width`. Absent width: no limit. */
export function treeLines(branches: readonly Branch[], width?: number, rails = ''): string[] {
  return branches.flatMap((branch, index) => {
    const isLast = index === branches.length - 1;
    const below = `${rails}${isLast ? '    ' : '│   '}`;
    const room = width === undefined ? undefined : Math.max(1, width - below.length);
    const [first = '', ...more] = branch.wraps === true ? wrap(branch.text, room) : [branch.text];
    return [
      `${rails}${isLast ? '└── ' : '├── '}${first}`,
      ...more.map((line) => `${below}${line}`),
      ...treeLines(branch.below ?? [], width, below),
    ].map((line) => cut(line, width));
  });
}
