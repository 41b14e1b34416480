// A vitest reporter for scripts/check.ts: enters the finished run, leaves a JSON file (named by SWITCHYARD_COUNT)
// with how many tests passed and failed, and which were not run, and why.
import { writeFileSync } from 'node:fs';
import type { SerializedError, TestModule } from 'vitest/node';

/** What became of the tests of one run. */
export interface Count {
  passed: number;
  failed: number;
  /** One text for each test that did not run: what was not tested, and why. */
  notRun: string[];
}

export default class CountReporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count: Count = { passed: 0, failed: unhandled.length, notRun: [] };
    for (const module of modules) {
      // A file that does not even load, or a hook that fails, fails no test of its own.
      const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
      count.failed += errors.length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') count.passed += 1;
        else if (result.state === 'failed') count.failed += 1;
        else
          count.notRun.push(notRunText(test.fullName, result.state === 'skipped' ? result.note : undefined));
      }
    }
    const file = process.env['SWITCHYARD_COUNT'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(count));
  }
}

function notRunText(test: string, note: string | undefined): string {
  return note ?? `${test}: it did not run, and gives no reason`;
}
