/**
 * Templates of PromQL: `{{service}}`, `{{version}}`, `{{baseline}}`, `{{window}}` and `{{args.NAME}}` enter, the query
 * as it is sent leaves, or what is wrong with it. A value inside a PromQL string is escaped for that string, and the
 * names of services and versions also for the regular expression of `=~`: a version `1.8.3` never matches `1x8.3`.
 */
import type { Arguments } from '../model/check.ts';
import type { Milliseconds } from '../model/instant.ts';

export interface TemplateInput {
  readonly template: string;
  /** The names that this template may use; undefined: the name is known, and has no value this time. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** What `{{args.NAME}}` stands for. */
  readonly args: Arguments;
}

export type Rendered =
  | { readonly kind: 'rendered'; readonly text: string }
  | { readonly kind: 'problem'; readonly problem: TemplateProblem };

/** What is wrong with a template. */
export type TemplateProblem =
  /** A name that is none of `allowed`. */
  | { readonly kind: 'UnknownName'; readonly name: string; readonly allowed: readonly string[] }
  /** A name that has no value here: `{{baseline}}` where there is nothing to compare with. */
  | { readonly kind: 'NoValue'; readonly name: string }
  /** `{{` without its `}}`. */
  | { readonly kind: 'Unclosed'; readonly rest: string }
  /** A backquote cannot be written inside backquotes. */
  | { readonly kind: 'Backquote'; readonly name: string };

/** The problem in words. */
export function describeTemplateProblem(problem: TemplateProblem): string {
  switch (problem.kind) {
    case 'UnknownName':
      return `{{${problem.name}}} is no name of this template; it may use ${problem.allowed.join(', ')}`;
    case 'NoValue':
      return `{{${problem.name}}} has no value here`;
    case 'Unclosed':
      return `"${problem.rest}" begins a name that no }} ends`;
    case 'Backquote':
      return `the value of {{${problem.name}}} has a backquote and stands inside backquotes; use double quotes there`;
  }
}

/** Puts the values in. The first problem ends it. */
export function render({ template, values, args }: TemplateInput): Rendered {
  let text = '';
  let quote: Quote = NO_QUOTE;
  let rest = template;
  for (;;) {
    const start = rest.indexOf('{{');
    const literal = start < 0 ? rest : rest.slice(0, start);
    text += literal;
    quote = quoteAfter(literal, quote);
    if (start < 0) return { kind: 'rendered', text };
    const end = rest.indexOf('}}', start);
    if (end < 0)
      return { kind: 'problem', problem: { kind: 'Unclosed', rest: rest.slice(start, start + 40) } };
    const name = rest.slice(start + 2, end).trim();
    const found = lookUp(name, { values, args });
    if (found.kind === 'problem') return found;
    if (quote.mark === '`' && found.text.includes('`'))
      return { kind: 'problem', problem: { kind: 'Backquote', name } };
    text += escaped(found, quote);
    rest = rest.slice(end + 2);
  }
}

/** A length of time as PromQL writes it: `30s`, `1500ms`. */
export function promqlDuration(length: Milliseconds): string {
  const whole = Math.max(1, Math.round(length));
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`;
}

/** A text as a double-quoted PromQL string, quotes included. */
export function promqlString(text: string): string {
  return `"${inQuotes(text, '"')}"`;
}

/** A text that a PromQL regular expression (RE2) matches literally; still to be written as a string. */
export function promqlLiteral(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

type Found = { readonly kind: 'value'; readonly text: string; readonly isName: boolean };

function lookUp(
  name: string,
  { values, args }: Omit<TemplateInput, 'template'>,
): Found | Extract<Rendered, { kind: 'problem' }> {
  const isArgument = name.startsWith('args.');
  const own = isArgument ? args : values;
  const key = isArgument ? name.slice('args.'.length) : name;
  if (!Object.hasOwn(own, key)) {
    const allowed = [...Object.keys(values), ...Object.keys(args).map((argument) => `args.${argument}`)];
    return { kind: 'problem', problem: { kind: 'UnknownName', name, allowed } };
  }
  const text = own[key];
  if (text === undefined) return { kind: 'problem', problem: { kind: 'NoValue', name } };
  return { kind: 'value', text, isName: !isArgument };
}

/** The PromQL string that a place in a template lies in. */
interface Quote {
  readonly mark: '"' | "'" | '`' | undefined;
  /** Whether it is the right side of `=~` or `!~`. */
  readonly isRegex: boolean;
}

const NO_QUOTE: Quote = { mark: undefined, isRegex: false };

/** Where the text ends, when it began inside `before`. A comment ends with its line. */
function quoteAfter(text: string, before: Quote): Quote {
  let quote = before;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quote.mark === undefined) {
      if (character === '#') {
        const lineEnd = text.indexOf('\n', index);
        if (lineEnd < 0) return NO_QUOTE;
        index = lineEnd;
      } else if (character === '"' || character === "'" || character === '`') {
        quote = { mark: character, isRegex: /[=!]~\s*$/.test(text.slice(0, index)) };
      }
    } else if (character === quote.mark) quote = NO_QUOTE;
    else if (character === '\\' && quote.mark !== '`') index += 1;
  }
  return quote;
}

function escaped({ text, isName }: Found, { mark, isRegex }: Quote): string {
  if (mark === undefined) return text;
  const meant = isName && isRegex ? promqlLiteral(text) : text;
  return mark === '`' ? meant : inQuotes(meant, mark);
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

function inQuotes(text: string, mark: '"' | "'"): string {
  return text.replaceAll(/[\n\r\t\\"']/g, (character) => {
    if (character === '"' || character === "'") return character === mark ? `\\${character}` : character;
    return ESCAPES[character] ?? character;
  });
}
