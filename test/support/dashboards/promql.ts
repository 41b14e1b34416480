/** What an expression of PromQL reads and keeps: its selectors with their labels, and the labels that it groups by. */
import { parser } from '@prometheus-io/lezer-promql';

/** One selector. */
export interface Selector {
  readonly metric: string;
  /** As written: `service=~"$service"`. */
  readonly matchers: readonly string[];
  /** The names of the labels in the matchers. */
  readonly labels: readonly string[];
}

/** Every selector of an expression. Throws where the grammar does not take it. */
export function selectorsIn(expr: string): readonly Selector[] {
  const found: { metric: string; matchers: string[]; labels: string[] }[] = [];
  visit(expr, (name, text) => {
    if (name === 'VectorSelector') found.push({ metric: '', matchers: [], labels: [] });
    const last = found.at(-1);
    if (last === undefined) return;
    if (name === 'Identifier' && last.metric === '') last.metric = text;
    if (name === 'UnquotedLabelMatcher') {
      last.matchers.push(text);
      last.labels.push(/^\w+/.exec(text)?.[0] ?? '');
    }
  });
  return found;
}

/** The labels of every `by`, `on` and `group_left` in an expression. */
export function groupedBy(expr: string): ReadonlySet<string> {
  const labels = new Set<string>();
  let inGrouping = 0;
  visit(
    expr,
    (name, text) => {
      if (name === 'GroupingLabels') inGrouping += 1;
      if (name === 'LabelName' && inGrouping > 0) labels.add(text);
    },
    (name) => {
      if (name === 'GroupingLabels') inGrouping -= 1;
    },
  );
  return labels;
}

/** Whether every series of the answer keeps all labels: nothing is aggregated. */
export function keepsAllLabels(expr: string): boolean {
  let keeps = true;
  visit(expr, (name) => {
    if (name === 'AggregateExpr') keeps = false;
  });
  return keeps;
}

function visit(
  expr: string,
  enter: (name: string, text: string) => void,
  leave: (name: string) => void = () => {},
): void {
  parser.parse(expr).iterate({
    enter(node) {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${expr}`);
      enter(node.name, expr.slice(node.from, node.to));
    },
    leave: (node) => leave(node.name),
  });
}
