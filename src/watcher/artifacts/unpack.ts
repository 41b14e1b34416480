/**
 * A verified artifact into its folder. An archive (tar.gz) is unpacked with care all the same: only files, folders and
 * links that stay inside, of bounded number and size; anything else refuses the whole artifact.
 */
import { chmod, copyFile, mkdir, open } from 'node:fs/promises';
import { posix } from 'node:path';
import { extract, type ReadEntry } from 'tar';
import { ArtifactError } from './fault.ts';

const MOST_ENTRIES = 100_000;
const PLAIN: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory']);

/** Whether a file begins as gzip does. */
export async function isArchive(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(2), position: 0 });
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

/** Puts the content of `file` into `folder`, which must be empty. Throws ArtifactError. */
export async function unpack(work: {
  readonly file: string;
  readonly folder: string;
  /** Bytes that the content may have. */
  readonly limit: number;
}): Promise<void> {
  const { file, folder, limit } = work;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const bounds = new Bounds(limit);
  let fault: ArtifactError | undefined;
  try {
    await extract({
      file,
      cwd: folder,
      strict: true,
      preserveOwner: false,
      maxDepth: 64,
      filter: (path, entry) => {
        fault ??= bounds.faultOf(path, entry as ReadEntry);
        return fault === undefined;
      },
    });
  } catch (error) {
    fault ??= faultOfUnpacking(error as NodeJS.ErrnoException);
  }
  if (fault !== undefined) throw fault;
  if (bounds.entries === 0) throw new ArtifactError('Final', 'its archive is empty');
}

/** What the disk refuses today it may take tomorrow; a bad archive stays bad. */
function faultOfUnpacking({ code, syscall, message }: NodeJS.ErrnoException): ArtifactError {
  if (code === 'ENOSPC') return new ArtifactError('Again', 'there is no space left to unpack it');
  if (syscall !== undefined) return new ArtifactError('Again', `it cannot be unpacked here: ${message}`);
  return new ArtifactError('Final', `it is no tar.gz that can be unpacked: ${message}`);
}

/** Puts a file that is no archive into its place, ready to be run. */
export async function place(file: string, target: string): Promise<void> {
  await copyFile(file, target);
  await chmod(target, 0o700);
}

class Bounds {
  readonly #limit: number;
  #bytes = 0;
  entries = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  faultOf(path: string, entry: ReadEntry): ArtifactError | undefined {
    this.entries += 1;
    this.#bytes += entry.size;
    if (this.entries > MOST_ENTRIES) return refuse(`its archive has more than ${MOST_ENTRIES} entries`);
    if (this.#bytes > this.#limit) return refuse(`its content has more than ${this.#limit} bytes`);
    if (leaves(path)) return refuse(`its archive would write outside its folder: ${shown(path)}`);
    const { type } = entry;
    if (PLAIN.has(type)) return undefined;
    const target = String(entry.linkpath);
    if (type === 'SymbolicLink') return linkFault(path, posix.join(posix.dirname(path), target), target);
    if (type === 'Link') return linkFault(path, target, target);
    return refuse(
      `its archive holds ${shown(path)}, a ${type}, which is neither a file, a folder nor a link`,
    );
  }
}

function linkFault(path: string, target: string, linkpath: string): ArtifactError | undefined {
  return linkpath.startsWith('/') || leaves(target)
    ? refuse(`its archive holds ${shown(path)}, a link that leads outside its folder`)
    : undefined;
}

function leaves(path: string): boolean {
  const normal = posix.normalize(path);
  return posix.isAbsolute(path) || normal === '..' || normal.startsWith('../') || path.includes('\\');
}

function refuse(message: string): ArtifactError {
  return new ArtifactError('Final', message);
}

function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
