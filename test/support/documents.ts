/**
 * The documentation as its readers meet it: README.md and all pages of docs/, with the command lines and the links in
 * them. Tests compare these with what is there.
 */
import { globSync, readFileSync } from 'node:fs';

/** A piece of a page, and where it stands. */
export interface Piece {
  /** `docs/store.md:42`. */
  readonly place: string;
  readonly text: string;
}

/** README.md and the pages below docs/, as paths from the root. */
export function pages(): readonly string[] {
  return ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md').toSorted()];
}

/** What follows `](` in the page: an address, a path, a heading. Code is left out. */
export function linksOf(page: string): readonly Piece[] {
  return linesOf(page).flatMap(({ place, text, isCode }) =>
    isCode
      ? []
      : [...text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => ({
          place,
          text: target,
        })),
  );
}

/** Headings as GitHub names them in links: `#one-controller-for-one-file`. */
export function anchorsOf(page: string): readonly string[] {
  return linesOf(page).flatMap(({ text, isCode }) => {
    const heading = isCode ? undefined : /^#+ (.*)$/.exec(text)?.[1];
    if (heading === undefined) return [];
    return [
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ];
  });
}

/** Whole command lines in blocks of code, without `switchyard`, comments, pipes and redirections. */
export function commandLinesOf(page: string): readonly Piece[] {
  return linesOf(page).flatMap(({ place, text, isCode }) => (isCode ? inShell(place, text) : []));
}

/** Commands that a sentence names between backticks, perhaps shortened: `switchyard rollback`, `retire SERVICE VERSION`. */
export function namedCommandsOf(page: string, verbs: ReadonlySet<string>): readonly Piece[] {
  return linesOf(page)
    .filter(({ isCode }) => !isCode)
    .flatMap(({ place, text }) =>
      [...text.matchAll(/`([^`]+)`/g)].flatMap(([, code = '']) => {
        const [first = '', ...rest] = code.split(' ');
        if (verbs.has(first) && rest.length > 0) return [{ place, text: code }];
        return inShell(place, code);
      }),
    );
}

function inShell(place: string, text: string): readonly Piece[] {
  const calls = /(?:^|[\s(])(?<!npm run )(?:bin\/)?switchyard ((?:'[^']*'|"[^"]*"|[^|&<>#()])+)/g;
  return [...text.matchAll(calls)].map(([, call = '']) => ({ place, text: call.trim() }));
}

/** Each line, and whether it is code: within a fence, or four spaces in. A figure, further in, is no code. */
function linesOf(page: string): readonly (Piece & { readonly isCode: boolean })[] {
  let isFenced = false;
  return readFileSync(page, 'utf8')
    .split('\n')
    .map((text, index) => {
      const isFence = /^\s*```/.test(text);
      if (isFence) isFenced = !isFenced;
      return { place: `${page}:${index + 1}`, text, isCode: isFenced || /^ {4}\S/.test(text) };
    });
}
