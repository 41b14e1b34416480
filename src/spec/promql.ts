/**
 * Whether Prometheus would take a query, without asking one: for lint, and for `apply`.
 *
 *     promqlProblem('rate(up)')  // 'rate() takes a range vector, and up is an instant vector', or undefined
 *     templateProblem({ template, names, args, as: 'number' | 'selector' })  // the same for a template of a check
 *
 * The grammar is the one that the Prometheus project keeps; names and types are checked beside it.
 */
import { parser } from '@prometheus-io/lezer-promql';
import type { Arguments } from '../model/check.ts';
import { excerpt } from '../model/text.ts';
import { isSelector } from '../verification/selectors.ts';
import { describeTemplateProblem, render } from '../verification/templates.ts';
import { PromqlFault, type SyntaxNode, typeOf } from './promql-types.ts';
import { didYouMean } from './suggest.ts';

/** What a check's template may use, beside `args.NAME`. */
export const CHECK_NAMES = ['service', 'version', 'baseline', 'window'] as const;
/** What the query of a drain source, or of delegates, may use. */
export const DRAIN_NAMES = ['service', 'version'] as const;

/** Values that have the form of the real ones; a version with dots shows what a regular expression makes of it. */
const SAMPLES: Readonly<Record<string, string>> = {
  service: 'service',
  version: '1.8.3',
  baseline: '1.8.2',
  window: '30s',
};

/** Why Prometheus would refuse an expression as an instant query of numbers, in one sentence; undefined: it takes it. */
export function promqlProblem(query: string): string | undefined {
  if (query.trim() === '') return 'is empty';
  const tree = parser.parse(query);
  try {
    refuseSyntax(tree.topNode, query);
    refuseSelectors(tree.topNode, query);
    const root = tree.topNode.firstChild;
    const type = root === null ? 'unknown' : typeOf(root, query);
    if (type === 'range vector') return 'is a range vector; put it into a function such as increase()';
    if (type === 'string') return 'is a string, not a number';
    return undefined;
  } catch (error) {
    if (error instanceof PromqlFault) return error.message;
    throw error;
  }
}

/**
 * Why a template of a check, or of a drain source, cannot become a query: an unknown name, or what promqlProblem says of
 * it with values of the usual form. `as` a selector: it must be one selector without range or function, since its raw
 * samples are read.
 */
export function templateProblem(input: {
  readonly template: string;
  /** CHECK_NAMES or DRAIN_NAMES. */
  readonly names: readonly string[];
  readonly args: Arguments;
  readonly as: 'number' | 'selector';
}): string | undefined {
  const { template, names, args, as } = input;
  const values = Object.fromEntries(names.map((name) => [name, SAMPLES[name] ?? name]));
  const rendered = render({ template, values, args });
  if (rendered.kind === 'problem') {
    const { problem } = rendered;
    const suggestion = problem.kind === 'UnknownName' ? didYouMean(problem.name, problem.allowed) : '';
    return `${describeTemplateProblem(problem)}${suggestion}`;
  }
  const problem = promqlProblem(rendered.text);
  if (problem !== undefined || as === 'number') return problem;
  return isSelector(rendered.text)
    ? undefined
    : `must be one selector such as requests_total{version="{{version}}"}, without function, range or operator, not ${excerpt(template)}`;
}

function refuseSyntax(top: SyntaxNode, query: string): void {
  top.tree?.iterate({
    enter(node) {
      if (!node.type.isError) return;
      const rest = query.slice(node.from).trim();
      if (rest === '') throw new PromqlFault('ends too early: a bracket or an operand is missing');
      // A name before an opening bracket that is no function stands as a selector before the error.
      const called = /([a-zA-Z_:][\w:]*)\s*$/.exec(query.slice(0, node.from))?.[1];
      if (rest.startsWith('(') && called !== undefined)
        throw new PromqlFault(`${called}() is no function of PromQL`);
      throw new PromqlFault(`is no PromQL from ${excerpt(rest, 40)} (character ${node.from + 1}) on`);
    },
  });
}

/** What the grammar lets pass and Prometheus refuses: a selector of everything, and a regular expression that is none. */
function refuseSelectors(top: SyntaxNode, query: string): void {
  top.tree?.iterate({
    enter(node) {
      if (node.name === 'VectorSelector') refuseSelector(node.node, query);
    },
  });
}

function refuseSelector(selector: SyntaxNode, query: string): void {
  const matchers = (selector.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? []).map(
    (node) => ({
      operator: text(node.getChild('MatchOp'), query),
      value: unquoted(text(node.getChild('StringLiteral'), query)),
    }),
  );
  for (const { operator, value } of matchers) {
    if (operator.endsWith('~') && !isRegex(value))
      throw new PromqlFault(`${excerpt(value)} is no regular expression`);
  }
  const quoted = selector.getChild('LabelMatchers')?.getChildren('QuotedLabelName') ?? [];
  const narrows = matchers.some(({ operator, value }) => !matchesEmpty(operator, value));
  if (selector.getChild('Identifier') === null && quoted.length === 0 && !narrows)
    throw new PromqlFault(
      `${text(selector, query)} selects everything; it needs a name or a label that is not empty`,
    );
}

function matchesEmpty(operator: string, value: string): boolean {
  if (operator === '=') return value === '';
  if (operator === '!=') return value !== '';
  // What only RE2 can read is taken to narrow.
  const matches = asRegex(value)?.test('') ?? operator === '!~';
  return operator === '=~' ? matches : !matches;
}

function isRegex(value: string): boolean {
  // RE2 knows inline flags such as (?i), which this JavaScript may not.
  return asRegex(value) !== undefined || /\(\?[a-zA-Z-]+[:)]/.test(value);
}

function asRegex(value: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${value})$`);
  } catch {
    return undefined;
  }
}

function unquoted(literal: string): string {
  const inner = literal.slice(1, -1);
  return literal.startsWith('`') ? inner : inner.replaceAll(/\\(.)/g, '$1');
}

function text(node: SyntaxNode | null, query: string): string {
  return node === null ? '' : query.slice(node.from, node.to);
}
