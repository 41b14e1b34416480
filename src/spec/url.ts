/** Addresses of HTTP servers as users write them, and what about them must not stand in a document. */
import type { TextFormat } from './text-formats.ts';

/** `http://…` or `https://…`, without a fragment. */
export const httpUrl: TextFormat = (text) => {
  const advice = 'such as http://127.0.0.1:9090';
  if (!URL.canParse(text)) return `must be an address that begins with http:// or https://, ${advice}`;
  const { protocol } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return `must begin with http:// or https://, ${advice}`;
  if (/[\s\0]/.test(text)) return 'must not hold a space';
  return text.includes('#') ? 'must be without "#" and what follows it' : undefined;
};

/** Whether the address holds a user name or a password. */
export function holdsCredentials(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}
