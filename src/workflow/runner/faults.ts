/** What a thrown value says, in one bounded line. */
const LONGEST = 1_000;

export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replaceAll(/\s+/g, ' ').trim();
  if (line === '') return 'an error without a message';
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
