/** A change of the protos that would break those who have the last release is found; one that adds is not. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { breakingCommand, lastRelease } from '../../../scripts/last-release.ts';
import { temporaryFolder } from '../../support/store-folder.ts';

const root = resolve('.');
const FILE = 'proto/switchyard/admin/v1/resources.proto';

/** What is found in a copy of the protos where one text was replaced by another. */
function found(text: string, replacement: string): string {
  const folder = temporaryFolder();
  cpSync('proto', join(folder, 'proto'), { recursive: true });
  cpSync('buf.yaml', join(folder, 'buf.yaml'));
  const before = readFileSync(FILE, 'utf8');
  const after = before.replace(text, replacement);
  if (after === before) throw new Error(`${FILE} does not have ${text}`);
  writeFileSync(join(folder, FILE), after);
  const [program, ...args] = breakingCommand(lastRelease().file);
  const PATH = [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter);
  try {
    return execFileSync(program, args, { cwd: folder, env: { ...process.env, PATH }, encoding: 'utf8' });
  } catch (error) {
    return (error as { readonly stdout: string }).stdout;
  }
}

test('a field that moves to another number breaks', () => {
  expect(found('string wanted_version = 3;', 'string wanted_version = 2000;')).toMatch(
    /resources\.proto.*"wanted_version"/,
  );
});

test('a field that goes breaks', () => {
  expect(found('string wanted_version = 3;', 'reserved 3;')).toMatch(
    /resources\.proto.*"3".*"wanted_version"/,
  );
});

test('a field that comes breaks nobody', () => {
  expect(found('string wanted_version = 3;', 'string wanted_version = 3; string another = 2000;')).toBe('');
});
