/**
 * Follows a Dockerfile without Docker: each stage becomes a folder, with what COPY brings to it. RUN is carried out on this
 * machine, in the stage's folder. Of the image that the last stage begins with, only Node and the libraries that it links are
 * there, so what is missing in the image is missing here.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type Instruction, isIgnored, parseDockerfile, type Stage } from './dockerfile.ts';

export interface Image {
  /** The root of its files. */
  readonly root: string;
  readonly workdir: string;
  readonly uid: number;
  readonly gid: number;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

interface Build {
  /** The build context, with .dockerignore. */
  readonly context: string;
  /** Where the stages' folders are made. */
  readonly folder: string;
}

/** All stages by name; the last one is `last` where it has no name. Throws where an instruction fails. */
export function buildImages(build: Build & { readonly dockerfile: string }): ReadonlyMap<string, Image> {
  const stages = parseDockerfile(readFileSync(join(build.context, build.dockerfile), 'utf8'));
  const images = stages.map((stage) => buildStage(build, stage));
  for (const image of images) if (image.entrypoint.length > 0) addNode(image);
  return new Map(images.map((image) => [basename(image.root), image]));
}

function buildStage(build: Build, { name, instructions }: Stage): Image {
  const root = join(build.folder, name === '' ? 'last' : name);
  mkdirSync(root, { recursive: true });
  return instructions.reduce<Image>((image, each) => follow(build, image, each), {
    root,
    workdir: '/',
    uid: 0,
    gid: 0,
    entrypoint: [],
    cmd: [],
  });
}

function follow(build: Build, image: Image, instruction: Instruction): Image {
  const { root, workdir } = image;
  switch (instruction.kind) {
    case 'workdir':
      mkdirSync(join(root, instruction.path), { recursive: true });
      return { ...image, workdir: instruction.path };
    case 'copy':
      for (const source of instruction.sources) copy(build, image, { ...instruction, source });
      return image;
    case 'run':
      execFileSync('sh', ['-c', instruction.command], { cwd: join(root, workdir), stdio: 'pipe' });
      return image;
    case 'user':
      return { ...image, uid: instruction.uid, gid: instruction.gid };
    case 'entrypoint':
      return { ...image, entrypoint: instruction.words };
    case 'cmd':
      return { ...image, cmd: instruction.words };
    case 'expose':
      return image;
  }
}

/** A folder's content goes into the target; a file under its own name where the target ends with a slash. */
function copy(
  build: Build,
  { root, workdir }: Image,
  { from, source, target }: { readonly from?: string; readonly source: string; readonly target: string },
): void {
  const base = from === undefined ? build.context : join(build.folder, from);
  const path = join(base, source);
  const into = join(root, resolve(workdir, target));
  const isFolder = lstatSync(path).isDirectory();
  const place = !isFolder && target.endsWith('/') ? join(into, basename(source)) : into;
  mkdirSync(dirname(place), { recursive: true });
  if (from !== undefined) {
    // Nothing writes to what stages share, so one file is enough for all.
    execFileSync('cp', ['--archive', '--link', '--no-target-directory', path, place]);
    return;
  }
  const ignore = readFileSync(join(build.context, '.dockerignore'), 'utf8');
  if (!isFolder && isIgnored(ignore, source)) throw new Error(`.dockerignore keeps ${source} out`);
  const isWanted = (file: string): boolean => file === path || !isIgnored(ignore, relative(base, file));
  cpSync(path, place, { recursive: true, filter: isWanted, verbatimSymlinks: true });
}

/** What the base image brings: Node where the entrypoint has it, its libraries, and the file that names users. */
function addNode({ root, entrypoint }: Image): void {
  const [node = ''] = entrypoint;
  put(root, process.execPath, node);
  for (const library of librariesOf(process.execPath)) put(root, library, library);
  for (const folder of ['tmp', 'proc', 'etc', 'dev']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n');
}

function put(root: string, from: string, to: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  cpSync(realpathSync(from), join(root, to));
}

function librariesOf(program: string): readonly string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
