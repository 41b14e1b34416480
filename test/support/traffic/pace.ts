/** An open loop: calls back at a steady rate whatever becomes of the calls before, and catches up when it was late. */

/** Runs `call` `perSecond` times a second until the returned function is called. */
export function atSteadyPace(perSecond: number, call: () => void): () => void {
  const startedAt = performance.now();
  let made = 0;
  const timer = setInterval(
    () => {
      const due = Math.floor(((performance.now() - startedAt) * perSecond) / 1000);
      for (; made < due; made += 1) call();
    },
    Math.max(1, Math.min(10, 1000 / perSecond)),
  );
  return () => clearInterval(timer);
}
