// The shape of the source tree: who imports whom, what stays pure, and how long a file may be.
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { rowFor, within } from '../support/import-table.ts';
import { readSource, type SourceFile } from '../support/source-file.ts';

const longest = 300;
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };

const sources = globSync('**/*.ts', { cwd: 'src', exclude: ['gen/**'] });

/** The package of an import: `@grpc/grpc-js/build` is of `@grpc/grpc-js`. */
const packageOf = (name: string) => /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;

/** Why this file of src/ may not import this, or undefined where it may. */
function breach(file: string, imported: string): string | undefined {
  const found = rowFor(file);
  if (found === 'unknown') return `${file} is in a folder that has no row in test/support/import-table.ts`;
  const { name, row } = found === 'wiring' ? { name: 'src', row: undefined } : found;
  if (imported.startsWith('.')) {
    const target = normalize(join(dirname(file), imported));
    if (target.startsWith('..')) return `${file} imports ${imported}, which is outside src/`;
    const allowed = row === undefined || [name, ...row.ours].some((ours) => within(target, ours));
    return allowed
      ? undefined
      : `${file} imports ${target}; ${name} may import: ${row.ours.join(', ') || 'nothing of src/'}`;
  }
  if (isBuiltin(imported)) {
    if (!imported.startsWith('node:')) return `${file} imports ${imported}; write node:${imported}`;
    const allowed = row === undefined || !row.pure || row.node?.includes(imported);
    return allowed ? undefined : `${file} imports ${imported}; ${name} is pure`;
  }
  const allowed = row === undefined || row.packages === 'any' ? Object.keys(dependencies) : row.packages;
  if (allowed.includes(packageOf(imported))) return undefined;
  return `${file} imports ${imported}; ${name} may import the packages: ${allowed.join(', ') || 'none'}`;
}

/** What this file does that its row of the table forbids. */
function breaches(file: string, { imports, impure }: SourceFile): string[] {
  const found = rowFor(file);
  const mustBePure = typeof found === 'object' && found.row.pure;
  return [
    ...(found === 'unknown'
      ? [`${file} is in a folder that has no row in test/support/import-table.ts`]
      : []),
    ...imports.flatMap((imported) => breach(file, imported) ?? []),
    ...(mustBePure ? impure.map((use) => `${file} uses ${use}; ${found.name} is pure`) : []),
  ];
}

describe('the table of allowed imports', () => {
  test('every file of src/ keeps to its row, and every folder has one', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(
      sources.flatMap((file) => breaches(file, readSource(file, readFileSync(join('src', file), 'utf8')))),
    ).toEqual([]);
  });

  test.each([
    ["import { a } from '../adapters/clock.ts';", 'imports adapters/clock.ts'],
    ["import type { A } from '../xds/resource.ts';", 'imports xds/resource.ts'],
    ["export { a } from '../ports/clock.ts';", 'imports ports/clock.ts'],
    ["export * from '../ports/clock.ts';", 'imports ports/clock.ts'],
    ["const a = await import('../ports/clock.ts');", 'imports ports/clock.ts'],
    ["let a: import('../ports/clock.ts').Clock;", 'imports ports/clock.ts'],
    ["import { readFileSync } from 'node:fs';", 'imports node:fs'],
    ["import pino from 'pino';", 'imports pino'],
    ["import a from '../../scripts/tools.ts';", 'outside src/'],
    ['const a = Date.now();', 'uses Date'],
    ['const a = new Date();', 'uses Date'],
    ['const a = Math.random();', 'uses Math.random'],
    ['setTimeout(() => {}, 1);', 'uses setTimeout'],
    ["const a = process.env['A'];", 'uses process'],
    ['const a = { process };', 'uses process'],
  ])('a pure folder is caught at: %s', (text, problem) => {
    expect(breaches('routing/new.ts', readSource('new.ts', text))).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  test.each([
    "import { a } from '../model/names.ts';",
    "import { a } from './table.ts';",
    'const a = order.process + order.Date;',
    'const a = { process: 1, Date: 2 };',
    '// Date.now() is not called here',
  ])('a pure folder may say: %s', (text) => {
    expect(breaches('routing/new.ts', readSource('new.ts', text))).toEqual([]);
  });

  test('a folder without a row is caught', () => {
    expect(breaches('misc/new.ts', readSource('new.ts', ''))).toEqual([
      expect.stringContaining('has no row'),
    ]);
  });

  test('only packages that are installed with Switchyard are imported by src/', () => {
    expect(breach('xds/server.ts', '@grpc/grpc-js')).toBeUndefined();
    expect(breach('xds/server.ts', '@grpc/grpc-js-xds')).toContain('imports @grpc/grpc-js-xds');
    expect(breach('main.ts', 'vitest')).toContain('imports vitest');
  });
});

test(`no file is longer than ${longest} lines`, () => {
  const files = globSync('{src,examples,scripts,test,bench}/**/*.{ts,sh,py,go,mjs}', {
    exclude: ['src/gen/**'],
  });
  const lengths = files.map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }));
  expect(lengths.filter(({ lines }) => lines > longest)).toEqual([]);
});
