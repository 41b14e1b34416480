/**
 * Tells listeners that something changed, once for many changes. The first is told in the next turn of the event loop;
 * while changes keep coming, telling takes a small part of the time: a flip to thousands of proxies brings thousands of
 * changes, and who listens may look at every proxy.
 */

/** How long after it was told the next is told, at least. */
const EVERY_MS = 10;
/** Telling takes at most one part in so many of the time. */
const SHARE = 10;

/** Makes the function to call after each change. After the last change `tell` is called at least once more. */
export function createNotice(tell: () => void): () => void {
  let due = false;
  let notBefore = 0;
  const now = (): void => {
    due = false;
    const began = performance.now();
    tell();
    const ended = performance.now();
    notBefore = ended + Math.max(EVERY_MS, (ended - began) * (SHARE - 1));
  };
  return () => {
    if (due) return;
    due = true;
    const wait = notBefore - performance.now();
    if (wait > 0) setTimeout(now, wait);
    else setImmediate(now);
  };
}
