// For tests whose real part cannot be had on this machine. Such a test is neither passed nor silently skipped: it is
// reported as skipped, and `npm test` names it and the reason at its end. With CI=true it fails.
import { appendFileSync } from 'node:fs';
import { TestRunner } from 'vitest';

/**
 * Ends the running test as not run. `what` is the part that was not tested, `why` is what is missing and the exact
 * command that would bring it. Call it inside a test, before the part that cannot run.
 */
export function notRun(what: string, why: string): never {
  const file = process.env['SWITCHYARD_NOT_RUN'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ what, why })}\n`);
  if (process.env['CI'] === 'true') throw new Error(`not run: ${what}: ${why}`);
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error(`notRun(${JSON.stringify(what)}, ...) was called outside a test`);
  return test.context.skip(`not run: ${what}: ${why}`);
}
