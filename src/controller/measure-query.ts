/**
 * One side of a check that is a PromQL expression: its one number at the window's end leaves. An expression hides how
 * old its samples are (Prometheus looks back five minutes), so the selectors in it are asked for their newest.
 */
import { freshAfter } from '../verification/counters.ts';
import { selectorsOf } from '../verification/selectors.ts';
import { type Asked, noData, notMeasured } from './asked.ts';

/** The value of an expression. Throws Unmeasured where it is not one number, or not new. */
export async function valueOf(asked: Asked, query: string): Promise<number> {
  const selectors = selectorsOf(query);
  if (selectors.length === 0)
    throw noData('the query reads no series, so its answer says nothing of a version');
  const [elements] = await Promise.all([
    asked.query(query),
    requireNew(asked, selectors),
    ...selectors.map((selector) => asked.requireTargetsUp(selector)),
  ]);
  const [element] = elements;
  if (element === undefined) throw noData('the query answers nothing');
  if (elements.length > 1)
    throw notMeasured(
      `the query answers ${elements.length} series; make one of them, for example with sum()`,
    );
  if (!Number.isFinite(element.value)) throw noData(`the query answers ${element.value}`);
  return element.value;
}

/** A selector may have no series: errors that never happened. One must have, and what one has must be new. */
async function requireNew(asked: Asked, selectors: readonly string[]): Promise<void> {
  const { to, scrapeInterval } = asked.window;
  const newest = await Promise.all(
    selectors.map(async (selector) => {
      const [element] = await asked.query(`max(timestamp(${selector}))`);
      return { selector, at: element === undefined ? undefined : element.value * 1000 };
    }),
  );
  const stale = newest.find(({ at }) => at !== undefined && at <= freshAfter(to, scrapeInterval));
  if (stale !== undefined)
    throw noData(
      `the newest sample of ${stale.selector} is ${(to - (stale.at ?? 0)) / 1000} s old, more than two scrapes`,
    );
  if (newest.every(({ at }) => at === undefined))
    throw noData(`Prometheus has no new samples of ${selectors.join(', ')}`);
}
