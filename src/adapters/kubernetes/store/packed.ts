/** Lists of thousands as text that an object has room for: JSON, compressed, in base64. The same content is the same text. */
import { gunzipSync, gzipSync } from 'node:zlib';

/** No object unpacks to more: whoever may write objects must not fill our memory. */
const MOST_BYTES = 64 * 1024 * 1024;

export function packed(value: unknown): string {
  return gzipSync(JSON.stringify(value)).toString('base64');
}

/** Throws where the text is not what `packed` made. */
export function unpacked(text: string): unknown {
  return JSON.parse(
    gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: MOST_BYTES }).toString('utf8'),
  );
}
