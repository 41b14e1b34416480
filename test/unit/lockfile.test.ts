// `npm ci` works from the lock file on every machine: nothing is missing, and no registry is named.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { completed, missingOptionalPackages } from '../../scripts/complete-lockfile.ts';

const text = readFileSync('package-lock.json', 'utf8');

test('the lock file has every optional package of every platform (else run: npm run lockfile)', () => {
  expect(missingOptionalPackages(JSON.parse(text))).toEqual([]);
});

test('the lock file names no registry', () => {
  expect(text).not.toContain('"resolved": "http');
});

test('an optional package of another platform that npm left out is added beside the package that wants it', () => {
  const tool = (version: string) => ({
    version: '1.0.0',
    dev: true,
    optionalDependencies: { '@tool/linux-arm64-musl': version },
  });
  const other = { version: '2.0.0' };
  const lockfile = {
    packages: {
      'node_modules/@tool/linux-arm64-musl': other,
      'node_modules/tool': tool('2.0.0'),
      'node_modules/user/node_modules/tool': tool('1.0.0'),
    },
  };
  expect(completed(lockfile).packages).toEqual({
    ...lockfile.packages,
    'node_modules/user/node_modules/@tool/linux-arm64-musl': {
      version: '1.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['musl'],
    },
  });
});
