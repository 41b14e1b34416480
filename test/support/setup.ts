// Runs before each test file: property tests take their examples from the seed of the run, and more of them when
// everything is to run whole.
import fc from 'fast-check';
import { full, seed } from './seed.ts';

fc.configureGlobal({ seed: seed(), ...(full() ? { numRuns: 1000 } : {}) });
