/** Images as our Dockerfiles make them, run without Docker: read-only, as the user that they name. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildImages, type Image } from '../../scripts/image/build.ts';
import { notRun } from './not-run.ts';
import { Child } from './system/child.ts';

const RUN = 'scripts/image/run.sh';

export interface BuiltImage {
  readonly image: Image;
  /** Runs its entrypoint to the end; rejects where that fails. */
  run(args: readonly string[]): Promise<string>;
  /** Runs another program of it. */
  runProgram(words: readonly string[]): Promise<string>;
  /** Starts its entrypoint; `folders` can be written to. */
  start(args: readonly string[], folders: readonly string[]): Promise<Child>;
}

/** The stages of a Dockerfile. */
export interface BuiltImages {
  stage(name: string): BuiltImage;
  remove(): void;
}

/** Why an image cannot be run here; undefined where it can. */
function lack(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root, to mount and to be another user; run as root';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'mount namespaces cannot be made here (unshare --mount)';
  }
}

/** Follows a Dockerfile of this repository; where the result cannot be run the running test ends as not run. */
export function builtImages(dockerfile: string): BuiltImages {
  const why = lack();
  if (why !== undefined) return notRun('images, run without Docker', why);
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-image-'));
  const images = buildImages({ context: resolve('.'), folder, dockerfile });
  return {
    stage(name) {
      const image = images.get(name);
      if (image === undefined) throw new Error(`${dockerfile} has no stage ${name}`);
      return runnable(image, join(folder, `${name}.log`));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function runnable(image: Image, logFile: string): BuiltImage {
  const { root, uid, gid, entrypoint } = image;
  const command = (folders: readonly string[]): string[] => [RUN, root, `${uid}:${gid}`, folders.join(' ')];
  const runProgram = async (words: readonly string[]): Promise<string> =>
    (await promisify(execFile)('sh', [...command([]), ...words])).stdout;
  return {
    image,
    runProgram,
    run: (args) => runProgram([...entrypoint, ...args]),
    start: (args, folders) =>
      Child.start({
        name: entrypoint.at(-1) ?? '',
        command: 'sh',
        arguments: [...command(folders), ...entrypoint, ...args],
        logFile,
      }),
  };
}

/** A small program in the image, to see what its user may do. */
export function putProgram({ image }: BuiltImage, name: string, text: string): string {
  mkdirSync(join(image.root, 'test'), { recursive: true });
  writeFileSync(join(image.root, 'test', name), text);
  return `/test/${name}`;
}
