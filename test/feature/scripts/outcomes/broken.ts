// Not part of the test run: a test file that does not load, for count-reporter.test.ts to count.
throw new Error('this file does not load');
