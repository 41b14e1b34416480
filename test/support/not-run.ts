// For tests whose real part cannot be had on this machine. Such a test is neither passed nor silently skipped:
// `npm test` names it and the reason at its end. With CI=true it fails.
import { TestRunner } from 'vitest';

/**
 * Ends the running test as not run. `what` is the part that was not tested; `why` is what is missing and the exact
 * command that would bring it (findTool of scripts/tools.ts says it). Call it inside a test, before the part that
 * cannot run.
 */
export function notRun(what: string, why: string): never {
  const text = `${what}: ${why}`;
  if (process.env['CI'] === 'true') throw new Error(`not run: ${text}`);
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error(`notRun was called outside a test, for ${text}`);
  return test.context.skip(text);
}
