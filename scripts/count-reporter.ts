// A vitest reporter for scripts/check.ts: enters the finished run, leaves a JSON file (named by SWITCHYARD_COUNT)
// with how many tests passed, which failed, and which were not run, and why.
import { writeFileSync } from 'node:fs';
import type { SerializedError, TestModule } from 'vitest/node';

/** What became of the tests of one run. */
export interface Count {
  passed: number;
  /** The file and the name of each test that failed; for what is no test, what it was and how it failed. */
  failed: string[];
  /** One text for each test that did not run: what was not tested, and why. */
  notRun: string[];
}

export default class CountReporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count: Count = {
      passed: 0,
      failed: unhandled.map((error) => `outside of any test: ${error.message}`),
      notRun: [],
    };
    for (const module of modules) {
      // A file that does not even load, or a hook that fails, fails no test of its own.
      const errors = [module, ...module.children.allSuites()].flatMap((part) => part.errors());
      count.failed.push(...errors.map((error) => `${module.relativeModuleId}: ${error.message}`));
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') count.passed += 1;
        else if (result.state === 'failed')
          count.failed.push(`${module.relativeModuleId} > ${test.fullName}`);
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
