/**
 * The normal form of a request path, as Envoy makes it before routes are asked (`normalize_path`): dot segments resolved,
 * backslashes turned, needless escapes undone and needed ones made. `/%61pi`, `/x/../api` and `/api` are one path.
 */

/** Letters, digits, `-`, `.`, `_`, `~`: an escape of these means the same as the character (RFC 3986, section 2.3). */
const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** Characters that stand for themselves nowhere in a path. */
const MUST_BE_ESCAPED = /[^\x21\x24-\x3b\x3d\x40-\x5d\x5f\x61-\x7a\x7e]/gu;

/** The path without its query in normal form; `undefined` where proxies answer 400. */
export function normalizePath(pathAndQuery: string): string | undefined {
  const [path = ''] = pathAndQuery.split('?', 1);
  if (path.includes('#') || path.includes('\0') || /%00/.test(path)) return undefined;
  const segments = path.slice(1).replaceAll('\\', '/').split('/').map(normalSegment);
  const kept: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const dots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!dots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

function normalSegment(segment: string): string {
  return segment
    .replaceAll(/%([0-9A-Fa-f]{2})/g, (escape, digits: string) => {
      const character = String.fromCodePoint(Number.parseInt(digits, 16));
      return UNRESERVED.test(character) ? character : escape;
    })
    .replaceAll(MUST_BE_ESCAPED, escapeBytes);
}

function escapeBytes(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
