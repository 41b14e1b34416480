// Builds the programs in Go that tests and benchmarks run: once for each state of their sources, into .tools/. Their
// modules come through Go's own client, at the versions and sums of the committed go.mod and go.sum.
import { type ExecFileException, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findTool } from './tools.ts';

/** A `main` package of a module of this repository. */
export interface GoProgram {
  /** Of the binary. */
  readonly name: string;
  /** The folder of the module, from the root of the repository. */
  readonly module: string;
  /** The folder of the package, from that of the module; `.` for the same. */
  readonly package: string;
}

export type BuiltProgram =
  | { readonly kind: 'built'; readonly path: string }
  /** Go, or a module, cannot be had here. `why` says what is missing, and what would bring it. */
  | { readonly kind: 'missing'; readonly why: string };

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const cache = join(root, '.tools/go-programs');

/** Builds a program where that is not done yet. Rejects with the compiler's words where the source is wrong. */
export async function buildGoProgram(program: GoProgram): Promise<BuiltProgram> {
  const go = findTool('go');
  if (go.kind === 'missing') return go;
  const cwd = join(root, program.module);
  const environment = {
    ...process.env,
    CGO_ENABLED: '0',
    GOWORK: 'off',
    GOFLAGS: '-mod=readonly -buildvcs=false',
  };
  const options = { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 };
  const { stdout: version } = await run(go.path, ['version'], options);
  const path = join(cache, `${program.name}-${hashOf(cwd, version)}`);
  mkdirSync(cache, { recursive: true });
  if (readdirSync(cache).some((name) => join(cache, name) === path)) return { kind: 'built', path };
  try {
    await run(go.path, ['list', '-deps', program.package], options);
  } catch (error) {
    const said = (error as ExecFileException).stderr?.trim().split('\n').at(-1) ?? String(error);
    const command = `cd ${program.module} && ${go.path} mod download`;
    return {
      kind: 'missing',
      why: `the Go modules of ${program.module} cannot be had (${said}); run: ${command}`,
    };
  }
  // Two may build at once: each into a file of its own.
  const unfinished = `${path}.${process.pid}`;
  await run(go.path, ['build', '-trimpath', '-o', unfinished, program.package], options);
  renameSync(unfinished, path);
  for (const name of readdirSync(cache)) {
    const stale = name.startsWith(`${program.name}-`) && join(cache, name) !== path && !/\.\d+$/.test(name);
    if (stale) rmSync(join(cache, name));
  }
  return { kind: 'built', path };
}

/** One hash of a module's sources and the compiler. */
function hashOf(folder: string, compiler: string): string {
  const hash = createHash('sha256').update(compiler);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(\.go|^go\.(mod|sum))$/.test(name))
    .toSorted();
  for (const name of files) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}
