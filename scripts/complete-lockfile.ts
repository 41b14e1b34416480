// Completes package-lock.json: `npm ci` refuses a lock file that lacks an optional package for another platform, and
// npm leaves such packages out when the registry in use does not carry them (mirrors often have one platform only).
// Run by `npm run lockfile` after `npm install PACKAGE`; test/unit/lockfile.test.ts says when it is needed.
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';

interface LockedPackage {
  version?: string;
  resolved?: string;
  dev?: boolean;
  optionalDependencies?: Record<string, string>;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

interface Lockfile {
  packages: Record<string, LockedPackage>;
}

interface MissingPackage {
  /** Where the entry belongs: beside the package that wants it. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly wantedBy: LockedPackage;
}

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const exact = /^\d+\.\d+\.\d+/;
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** What Node would find as `name` from the package at `from`, going outwards through the lock file. */
function found(packages: Lockfile['packages'], from: string, name: string): LockedPackage | undefined {
  const inside = packages[`${from === '' ? '' : `${from}/`}node_modules/${name}`];
  if (inside !== undefined || from === '') return inside;
  return found(packages, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
}

/** The optional packages that some locked package names by an exact version and that the lock file lacks. */
export function missingOptionalPackages({ packages }: Lockfile): MissingPackage[] {
  return Object.entries(packages).flatMap(([from, wantedBy]) =>
    Object.entries(wantedBy.optionalDependencies ?? {})
      .filter(([name, version]) => {
        const candidate = found(packages, from, name);
        return candidate === undefined || (exact.test(version) && candidate.version !== version);
      })
      .map(([name, version]) => {
        const beside = from.slice(0, from.lastIndexOf('node_modules/'));
        return { path: `${beside}node_modules/${name}`, name, version, wantedBy };
      }),
  );
}

/** The lock file's entry for a package of another platform. Its platform stands in its name, as is the custom. */
function entryFor({ name, version, wantedBy }: MissingPackage): LockedPackage {
  const words = name.split(/[/-]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (words.includes('armv7')) cpu.push('arm');
  if (os.length !== 1 || cpu.length !== 1 || !exact.test(version)) {
    throw new Error(
      `${name}@${version}: no platform and exact version can be read from this; lock it by hand`,
    );
  }
  const libc = words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {};
  return {
    version,
    cpu,
    ...(wantedBy.dev ? { dev: true } : {}),
    ...libc,
    optional: true,
    os,
  };
}

/** The lock file with an entry for each optional package that lacked one, in the order that npm writes. */
export function completed(lockfile: Lockfile): Lockfile {
  const added = missingOptionalPackages(lockfile).map((missing) => [missing.path, entryFor(missing)]);
  const packages = [...Object.entries(lockfile.packages), ...(added as [string, LockedPackage][])];
  return {
    ...lockfile,
    packages: Object.fromEntries(packages.toSorted(([a], [b]) => a.localeCompare(b, 'en'))),
  };
}

if (argv[1] === import.meta.filename) {
  const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile;
  const missing = missingOptionalPackages(lockfile);
  if (missing.length > 0)
    writeFileSync('package-lock.json', `${JSON.stringify(completed(lockfile), null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} optional packages of other platforms added`);
}
