/** This tree as a package of another version: built, packed and unpacked as users have it, with the npm packages of this clone. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { extract } from 'tar';
import type { Program } from './system/controller.ts';

interface PackageFile {
  readonly version: string;
  readonly files: readonly string[];
}

/** The version after the one that is being built. */
export function nextVersion(): string {
  const { version } = readPackage();
  return version.replace(/\d+$/, (patch) => String(Number(patch) + 1));
}

/** Builds it in `folder`; takes as long as the compiler does. */
export function packedBuild(folder: string, version: string): Program {
  const tree = join(folder, 'tree');
  mkdirSync(tree, { recursive: true });
  for (const entry of ['README.md', 'LICENSE', ...readPackage().files.filter((name) => name !== 'dist')])
    cpSync(entry, join(tree, entry), { recursive: true });
  writeFileSync(join(tree, 'package.json'), JSON.stringify({ ...readPackage(), version }));
  const dist = join(tree, 'dist');
  execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.build.json', '--outDir', dist]);
  cpSync('src/gen', join(dist, 'gen'), { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: tree });
  extract({ file: join(folder, `switchyard-${version}.tgz`), cwd: folder, sync: true });
  return installed(join(folder, 'package'));
}

/** An unpacked package, beside the npm packages that it needs. */
export function installed(root: string): Program {
  symlinkSync(resolve('node_modules'), join(root, 'node_modules'));
  return { command: join(root, 'bin', 'switchyard'), arguments: [] };
}

function readPackage(): PackageFile {
  return JSON.parse(readFileSync('package.json', 'utf8')) as PackageFile;
}
