/**
 * The types of PromQL: which functions exist, what each takes, and what it gives. A node of the grammar's tree enters,
 * its type leaves, or the first fault that Prometheus would refuse the query for. Facts: the Prometheus documentation,
 * "Querying: Functions" and "Operators"; held to a real Prometheus by a test.
 */
import type { parser } from '@prometheus-io/lezer-promql';

export type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** What an expression gives. `unknown`: a function of a newer Prometheus than this table. */
export type ValueType = 'scalar' | 'instant vector' | 'range vector' | 'string' | 'unknown';

/** A query that Prometheus would refuse, in words. */
export class PromqlFault extends Error {
  override readonly name = 'PromqlFault';
}

const TYPES = { s: 'scalar', v: 'instant vector', m: 'range vector', t: 'string' } as const;

/** Arguments by letter (see TYPES), `?` behind one that may be left out, `*` behind one that may be repeated or left out. */
const TAKES: Readonly<Record<string, string>> = {
  m: 'absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time mad_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time',
  v: 'abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor histogram_avg histogram_count histogram_stddev histogram_stdvar histogram_sum ln log10 log2 rad scalar sgn sin sinh sort sort_desc sqrt tan tanh timestamp',
  'v?': 'day_of_month day_of_week day_of_year days_in_month hour minute month year',
  '': 'pi time',
  s: 'vector',
  ms: 'predict_linear',
  mss: 'double_exponential_smoothing',
  sm: 'quantile_over_time',
  sv: 'histogram_quantile',
  ssv: 'histogram_fraction',
  vs: 'clamp_max clamp_min',
  'vs?': 'round',
  vss: 'clamp',
  vtttt: 'label_replace',
  'vttt*': 'label_join',
  'vt*': 'sort_by_label sort_by_label_desc',
  'vv?': 'info',
};
const SCALAR_FUNCTIONS = new Set(['pi', 'scalar', 'time']);

const FUNCTIONS = new Map(
  Object.entries(TAKES).flatMap(([takes, names]) => names.split(' ').map((name) => [name, takes] as const)),
);
/** Aggregations with a parameter before the vector. */
const PARAMETERS: Readonly<Record<string, ValueType>> = {
  bottomk: 'scalar',
  topk: 'scalar',
  quantile: 'scalar',
  limitk: 'scalar',
  limit_ratio: 'scalar',
  count_values: 'string',
};
const SET_OPERATORS = new Set(['And', 'Or', 'Unless']);
const COMPARISONS = new Set(['Eql', 'Neq', 'Gtr', 'Lss', 'Gte', 'Lte']);
/** Nodes that are values; others are operators, modifiers and names. */
const EXPRESSIONS =
  /^(AggregateExpr|AnchoredExpr|BinaryExpr|FunctionCall|MatrixSelector|NumberDurationLiteral|OffsetExpr|ParenExpr|SmoothedExpr|StepInvariantExpr|StringLiteral|SubqueryExpr|UnaryExpr|VectorSelector)$/;

/** The type of an expression. Throws PromqlFault. `text` is the whole query. */
export function typeOf(node: SyntaxNode, text: string): ValueType {
  switch (node.name) {
    case 'NumberDurationLiteral':
      return 'scalar';
    case 'StringLiteral':
      return 'string';
    case 'VectorSelector':
      return 'instant vector';
    case 'MatrixSelector':
      requireSpan(node, text);
      return 'range vector';
    case 'SubqueryExpr':
      requireType('a subquery', operand(node), text, ['instant vector']);
      return 'range vector';
    case 'UnaryExpr':
      return requireType('a sign', operand(node), text, ['scalar', 'instant vector']);
    case 'FunctionCall':
      return ofFunction(node, text);
    case 'AggregateExpr':
      return ofAggregation(node, text);
    case 'BinaryExpr':
      return ofOperation(node, text);
    case 'OffsetExpr':
    case 'StepInvariantExpr':
      return ofShifted(node, text);
    default: {
      // Brackets leave the type as it is.
      const inner = expressionsIn(node)[0];
      return inner === undefined ? 'unknown' : typeOf(inner, text);
    }
  }
}

/** `offset` and `@` belong behind what reads samples, and leave its type as it is. */
function ofShifted(node: SyntaxNode, text: string): ValueType {
  const read = operand(node);
  if (read === undefined) return 'unknown';
  const isRead = /^(VectorSelector|MatrixSelector|SubqueryExpr|OffsetExpr|StepInvariantExpr)$/.test(
    read.name,
  );
  if (!isRead)
    throw new PromqlFault(`offset and @ belong behind a selector or a subquery, not ${textOf(read, text)}`);
  return typeOf(read, text);
}

function ofFunction(node: SyntaxNode, text: string): ValueType {
  const name = textOf(node.getChild('FunctionIdentifier'), text);
  const takes = FUNCTIONS.get(name);
  const given = argumentsOf(node);
  if (takes === undefined) {
    for (const argument of given) typeOf(argument, text);
    return 'unknown';
  }
  const wanted = [...takes.matchAll(/([svmt])([?*]?)/g)].map(([, letter = '', repeat = '']) => ({
    type: TYPES[letter as keyof typeof TYPES],
    repeat,
  }));
  const least = wanted.filter(({ repeat }) => repeat === '').length;
  const last = wanted.at(-1);
  const most = last?.repeat === '*' ? Number.POSITIVE_INFINITY : wanted.length;
  if (given.length < least || given.length > most) {
    const number =
      least === most
        ? `${least}`
        : `${least} ${most === Number.POSITIVE_INFINITY ? 'or more' : `to ${most}`}`;
    throw new PromqlFault(`${name}() takes ${number} arguments, not ${given.length}`);
  }
  for (const [index, argument] of given.entries()) {
    const type = (wanted[index] ?? last)?.type;
    if (type !== undefined) requireType(`${name}()`, argument, text, [type]);
  }
  return SCALAR_FUNCTIONS.has(name) ? 'scalar' : 'instant vector';
}

function ofAggregation(node: SyntaxNode, text: string): ValueType {
  const name = textOf(node.getChild('AggregateOp'), text).toLowerCase();
  const given = argumentsOf(node);
  const parameter = PARAMETERS[name];
  const wanted = parameter === undefined ? 1 : 2;
  if (given.length !== wanted)
    throw new PromqlFault(`${name} takes ${wanted} arguments, not ${given.length}`);
  const [first, second] = given;
  if (parameter !== undefined && first !== undefined) requireType(name, first, text, [parameter]);
  const values = parameter === undefined ? first : second;
  if (values !== undefined) requireType(name, values, text, ['instant vector']);
  return 'instant vector';
}

function ofOperation(node: SyntaxNode, text: string): ValueType {
  const [left, right] = expressionsIn(node);
  if (left === undefined || right === undefined) throw new PromqlFault('an operator has no right side');
  const operator = childNames(node).find((name) => SET_OPERATORS.has(name) || COMPARISONS.has(name)) ?? '';
  const types = [left, right].map((side) =>
    requireType('an operator', side, text, ['scalar', 'instant vector']),
  );
  const hasScalar = types.includes('scalar');
  if (SET_OPERATORS.has(operator) && hasScalar)
    throw new PromqlFault(`${operator.toLowerCase()} stands between instant vectors, not beside a scalar`);
  const hasBool = node.getChild('BoolModifier') !== null;
  if (hasBool && !COMPARISONS.has(operator)) throw new PromqlFault('bool belongs behind a comparison');
  const isOfScalars = types.every((type) => type === 'scalar');
  if (isOfScalars && COMPARISONS.has(operator) && !hasBool)
    throw new PromqlFault('a comparison of two scalars needs bool: `1 > bool 2`');
  if (hasScalar && node.getChild('MatchingModifierClause') !== null && !hasBool)
    throw new PromqlFault('on() and ignoring() match instant vectors, and one side is a scalar');
  return isOfScalars ? 'scalar' : types.includes('unknown') ? 'unknown' : 'instant vector';
}

function requireType(
  what: string,
  node: SyntaxNode | undefined,
  text: string,
  wanted: readonly ValueType[],
): ValueType {
  if (node === undefined) throw new PromqlFault(`${what} has nothing to work on`);
  const type = typeOf(node, text);
  if (type === 'unknown' || wanted.includes(type)) return type;
  throw new PromqlFault(
    `${what} takes ${wanted.map(aType).join(' or ')}, and ${textOf(node, text)} is ${aType(type)}`,
  );
}

function requireSpan(node: SyntaxNode, text: string): void {
  const span = textOf(node.getChild('DurationExpr'), text).trim();
  if (/^[0.]+[a-z]*$/.test(span)) throw new PromqlFault(`[${span}] must be longer than 0`);
}

function aType(type: ValueType): string {
  return type === 'instant vector' ? 'an instant vector' : `a ${type}`;
}

function argumentsOf(node: SyntaxNode): readonly SyntaxNode[] {
  const body = node.getChild('FunctionCallBody');
  return body === null ? [] : expressionsIn(body);
}

function operand(node: SyntaxNode): SyntaxNode | undefined {
  return expressionsIn(node)[0];
}

function expressionsIn(node: SyntaxNode): readonly SyntaxNode[] {
  return childrenOf(node).filter(({ name }) => EXPRESSIONS.test(name));
}

function childNames(node: SyntaxNode): readonly string[] {
  return childrenOf(node).map(({ name }) => name);
}

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function textOf(node: SyntaxNode | null, text: string): string {
  return node === null ? '' : text.slice(node.from, node.to);
}
