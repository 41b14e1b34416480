/** Reads markup as XML would: every element closed in order, every attribute quoted, every special sign escaped. */

export interface Parsed {
  /** Names of elements, in order of their beginning. */
  readonly elements: readonly string[];
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** All text, escapes undone, a space between elements. */
  readonly text: string;
}

const TOKEN = /<!DOCTYPE html>|<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
const ESCAPE = /&(?:amp|lt|gt|quot|#39);/g;
const SIGNS: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

/** Throws where the markup is not well-formed. The text of `style` is left out. */
export function parseMarkup(markup: string): Parsed {
  const open: string[] = [];
  const elements: string[] = [];
  const attributes: (readonly [string, string])[] = [];
  const texts: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < markup.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(markup);
    if (token === null) throw new Error(`not well-formed at ${JSON.stringify(markup.slice(at, at + 80))}`);
    const [, closing, name, list = '', empty, text] = token;
    if (text !== undefined) {
      if (open.at(-1) !== 'style') texts.push(unescaped(text));
    } else if (name !== undefined && closing === '/') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>`);
    } else if (name !== undefined) {
      elements.push(name);
      if (empty !== '/') open.push(name);
      for (const [, key = '', value = ''] of list.matchAll(/([\w:-]+)="([^"]*)"/g))
        attributes.push([key, unescaped(value)]);
    }
  }
  if (open.length > 0) throw new Error(`<${open.join('><')}> is not closed`);
  return { elements, attributes, text: texts.join(' ') };
}

function unescaped(text: string): string {
  const bare = text.replaceAll(ESCAPE, '');
  if (bare.includes('&')) throw new Error(`a sign is not escaped in ${JSON.stringify(text)}`);
  return text.replaceAll(ESCAPE, (escape) => SIGNS[escape] ?? escape);
}
