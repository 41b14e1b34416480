/** The last release of Switchyard as a program: its package, unpacked, with the npm packages of this clone beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar';
import { afterAll } from 'vitest';
import { type LastRelease, lastRelease } from '../../scripts/last-release.ts';
import { installed } from './packed-build.ts';
import type { Program } from './system/controller.ts';

export interface UnpackedRelease extends LastRelease {
  /** Where its files are. */
  readonly root: string;
  /** What takes the arguments of `switchyard`. */
  readonly program: Program;
}

/** Unpacks it for the tests of a file. */
export function unpackLastRelease(): UnpackedRelease {
  const release = lastRelease();
  const folder = mkdtempSync(join(tmpdir(), `switchyard-${release.version}-`));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  extract({ file: release.file, cwd: folder, sync: true });
  const root = join(folder, 'package');
  return { ...release, root, program: installed(root) };
}
