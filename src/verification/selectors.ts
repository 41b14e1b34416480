/**
 * The selectors that a PromQL expression reads, without their ranges, offsets and times: what must be new for its
 * value to be new. Read by the grammar that the Prometheus project keeps.
 */
import { parser } from '@prometheus-io/lezer-promql';

/** Each selector once, in the order in which they stand. Empty where the expression reads nothing, or is none. */
export function selectorsOf(expression: string): readonly string[] {
  const found = new Set<string>();
  parser.parse(expression).iterate({
    enter(node) {
      if (node.name === 'VectorSelector') found.add(expression.slice(node.from, node.to));
    },
  });
  return [...found];
}

/** Whether a text is one selector and nothing else: what raw samples can be asked of. */
export function isSelector(text: string): boolean {
  let isOne = true;
  let selectors = 0;
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) isOne = false;
      if (node.name === 'VectorSelector') selectors += 1;
      // The whole text is one node below the top: anything beside it is another operation.
      else if (node.node.parent?.type.isTop === true) isOne = false;
    },
  });
  return isOne && selectors === 1;
}
