// Runs the files of this folder for count-reporter.test.ts.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    dir: import.meta.dirname,
    include: ['outcomes.ts', 'broken.ts'],
    reporters: ['./scripts/count-reporter.ts'],
  },
});
