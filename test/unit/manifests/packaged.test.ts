// The published package has the files that `switchyard install` reads, and no tests.
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';

test('npm packs all manifests', () => {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [packed] = JSON.parse(output) as { files: { path: string }[] }[];
  const paths = packed?.files.map(({ path }) => path) ?? [];
  const manifests = globSync('manifests/**/*.{yaml,json,lua,txt,service}');
  expect(manifests.length).toBeGreaterThan(60);
  expect(manifests.filter((path) => !paths.includes(path))).toEqual([]);
  expect(paths.filter((path) => path.startsWith('test/') || path.startsWith('src/'))).toEqual([]);
});
