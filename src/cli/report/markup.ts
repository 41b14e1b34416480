/**
 * Elements of HTML and SVG as text. Whatever is not markup is escaped, and every element is closed, so a page made of these
 * is well-formed XML too, and nothing that came from outside can be read as markup. Pure.
 */
declare const brand: unique symbol;
/** Well-formed, escaped markup; only `element` and `joined` make it. */
export type Markup = string & { readonly [brand]: 'Markup' };
export type Child = Markup | { readonly text: string };
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text as a child of an element. */
export function text(value: string | number): Child {
  return { text: String(value) };
}

/** `<name attributes>children</name>`. Attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly (Child | readonly Child[])[]
): Markup {
  const shown = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? coordinate(value) : String(value))}"`,
    )
    .join('');
  const content = joined(...children.flat());
  return (
    content === '' && VOID.has(name) ? `<${name}${shown}/>` : `<${name}${shown}>${content}</${name}>`
  ) as Markup;
}

/** Several children in a row. */
export function joined(...children: readonly Child[]): Markup {
  return children
    .map((child) => (typeof child === 'string' ? child : escaped(child.text)))
    .join('') as Markup;
}

/** Elements that HTML closes by themselves, and shapes of SVG. */
const VOID: ReadonlySet<string> = new Set(['meta', 'br', 'path', 'line', 'rect', 'circle', 'polyline']);

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(value: string): string {
  return value.replaceAll(/[&<>"']/g, (sign) => ESCAPES[sign] ?? sign);
}

/** Two decimals are finer than any screen. */
function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}
