/** "Did you mean": the nearest of the allowed words to one that is not allowed, for error messages. */

/** The allowed word nearest to `word`, or undefined where none is near enough to be what was meant. */
function nearest(word: string, allowed: readonly string[]): string | undefined {
  const meant = plain(word);
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of allowed) {
    const distance = editDistance(meant, plain(candidate));
    if (best === undefined || distance < best.distance) best = { candidate, distance };
  }
  if (best === undefined) return undefined;
  const limit = Math.max(1, Math.floor(plain(best.candidate).length / 3));
  return best.distance <= limit ? best.candidate : undefined;
}

/** The end of an error message: `; did you mean "port"?`, or nothing. */
export function didYouMean(word: string, allowed: readonly string[]): string {
  const suggestion = nearest(word, allowed);
  return suggestion === undefined ? '' : `; did you mean "${suggestion}"?`;
}

/** Case, `_` and `-` are how other formats write the same word. */
function plain(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[_-]/g, '');
}

/** How many characters to insert, delete, replace, or swap with their neighbour (optimal string alignment). */
function editDistance(left: string, right: string): number {
  const rows = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1];
      const swapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const replaced = at(i - 1, j - 1) + (same ? 0 : 1);
      const steps = [
        replaced,
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        ...(swapped ? [at(i - 2, j - 2) + 1] : []),
      ];
      row.push(Math.min(...steps));
    }
  }
  return at(left.length, right.length);
}
