// The last release, as it is kept in test/releases: the package that users have. What it promised is in there: its
// protos, its manifests, its program.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../test/releases');

export interface LastRelease {
  readonly version: string;
  /** The package, as `npm pack` made it. */
  readonly file: string;
}

/** There is one: scripts/release.sh takes the one before away. */
export function lastRelease(): LastRelease {
  const [release, ...more] = readdirSync(FOLDER).flatMap((name) => {
    const version = /^switchyard-(.+)\.tgz$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version, file: join(FOLDER, name) }];
  });
  if (release === undefined || more.length > 0)
    throw new Error(
      `${FOLDER} must have one package, switchyard-VERSION.tgz; it has ${more.length + (release ? 1 : 0)}`,
    );
  return release;
}

/** What finds changes of protos that break those who have the protos of a package. */
export function breakingCommand(file: string): readonly [string, ...string[]] {
  return ['buf', 'breaking', '--against', `${file}#strip_components=1,subdir=proto`];
}
