/**
 * `artifact keygen|sign|publish`: what watchers fetch, made by whoever releases delegates. The private key is read by
 * `sign` alone and never leaves the machine.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { InvalidManifestError, parseManifest, printManifest } from '../../artifact/manifest.ts';
import { InvalidKeyError, makeKeyPair, readPrivateKey, signArtifact } from '../../artifact/signing.ts';
import type { Artifact } from '../../model/goal-state.ts';
import { MAX_ARTIFACT_SIZE } from '../../model/goal-state.ts';
import { InvalidNameError, serviceName, versionName } from '../../model/names.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { type Context, note, print } from '../shell.ts';

/** Writes FILE (private, for this user only) and FILE.pub. Never over a file that exists. */
export async function keygen(context: Context, file: string): Promise<ExitCode> {
  const { privateKey, publicKey } = makeKeyPair();
  await create({ file, text: privateKey, mode: 0o600 });
  await create({ file: `${file}.pub`, text: publicKey, mode: 0o644 });
  print(context, `wrote ${file}, which signs: keep it off every controller and every box`);
  print(context, `wrote ${file}.pub: copy it to the boxes, as publicKeyFiles in the watcher's file`);
  return EXIT.ok;
}

export interface SignFlags {
  readonly key: string;
  /** Where the artifact will be fetched from; absent: where it lies now. Not signed, so `publish` may change it. */
  readonly url?: string;
}

/** Writes FILE.manifest.json beside the artifact. */
export async function sign(
  context: Context,
  wanted: {
    readonly file: string;
    readonly service: string;
    readonly version: string;
    readonly command: readonly string[];
    readonly flags: SignFlags;
  },
): Promise<ExitCode> {
  const { file, command, flags } = wanted;
  if (command.length === 0) {
    throw new CliError(
      EXIT.usage,
      "say after -- what starts the delegate, such as: -- '${artifact}/delegate' --port '${port}'",
    );
  }
  const { sha256, size } = await digest(file);
  const unsigned = {
    service: named(() => serviceName(wanted.service)),
    version: named(() => versionName(wanted.version)),
    sha256,
    size,
    command,
  };
  const signature = signArtifact(unsigned, await privateKeyOf(flags.key));
  const url = flags.url ?? pathToFileURL(resolve(file)).href;
  const manifest = `${file}.manifest.json`;
  await writeFile(manifest, printManifest({ ...unsigned, url, signature }));
  print(context, `wrote ${manifest}: ${wanted.service} ${wanted.version}, ${size} bytes, sha256 ${sha256}`);
  return EXIT.ok;
}

export interface PublishFlags {
  readonly to: string;
  /** Address under which the folder is served; absent: it is read as files. */
  readonly url?: string;
}

/** Copies an artifact and its manifest into a folder that a web server serves, the manifest last; tells the controller that --server names. */
export async function publish(
  context: Context,
  { file, flags }: { readonly file: string; readonly flags: PublishFlags },
): Promise<ExitCode> {
  const artifact = await readManifest(`${file}.manifest.json`);
  const { sha256, size } = await digest(file);
  if (sha256 !== artifact.sha256 || size !== artifact.size) {
    throw new CliError(EXIT.failed, `${file} is not what its manifest was signed for: sign it again`, [
      `signed: ${artifact.size} bytes, sha256 ${artifact.sha256}`,
      `found: ${size} bytes, sha256 ${sha256}`,
    ]);
  }
  await mkdir(flags.to, { recursive: true });
  const name = `${artifact.service}-${artifact.version}-${sha256.slice(0, 12)}${basename(file).endsWith('.tar.gz') ? '.tar.gz' : ''}`;
  const url =
    flags.url === undefined
      ? pathToFileURL(resolve(flags.to, name)).href
      : `${flags.url.replace(/\/$/, '')}/${name}`;
  await intoPlace(join(flags.to, name), (path) => copyFile(file, path));
  const manifest = join(flags.to, `${name}.manifest.json`);
  const published = printManifest({ ...artifact, url });
  await intoPlace(manifest, (path) => writeFile(path, published));
  if (context.options.server !== undefined) {
    note(context, `wrote ${manifest}`);
    return (await import('./delegates.ts')).publishToBoxes(context, manifest, { wait: 0 });
  }
  print(context, published);
  note(context, `wrote ${manifest}; boxes fetch it after: switchyard delegates publish ${manifest}`);
  return EXIT.ok;
}

async function readManifest(path: string): Promise<Artifact> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new CliError(EXIT.usage, `cannot read ${path}: ${error.message}`, [
      'sign the artifact first: switchyard artifact sign',
    ]);
  });
  try {
    return parseManifest(text);
  } catch (error) {
    if (error instanceof InvalidManifestError) throw new CliError(EXIT.usage, `${path}: ${error.message}`);
    throw error;
  }
}

/** Readers find the old file or the whole new one. */
async function intoPlace(path: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.unfinished`;
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function digest(file: string): Promise<{ readonly sha256: string; readonly size: number }> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true)
    throw new CliError(EXIT.usage, `${file} must be a file that exists: the artifact`);
  if (found.size === 0 || found.size > MAX_ARTIFACT_SIZE) {
    throw new CliError(
      EXIT.usage,
      `${file} has ${found.size} bytes; an artifact has 1 to ${MAX_ARTIFACT_SIZE}`,
    );
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { sha256: hash.digest('hex'), size: found.size };
}

async function privateKeyOf(file: string): Promise<ReturnType<typeof readPrivateKey>> {
  const pem = await readFile(file, 'utf8').catch((error: Error) => {
    throw new CliError(EXIT.usage, `cannot read the private key ${file}: ${error.message}`);
  });
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw new CliError(EXIT.usage, `${file} may be read by others: chmod 600 ${file}`);
  try {
    return readPrivateKey(pem, file);
  } catch (error) {
    if (error instanceof InvalidKeyError) throw new CliError(EXIT.usage, error.message);
    throw error;
  }
}

async function create({ file, text, mode }: { file: string; text: string; mode: number }): Promise<void> {
  const handle = await open(file, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'it exists, and keys are never written over' : error.message;
    throw new CliError(EXIT.failed, `cannot write ${file}: ${why}`);
  });
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
}

function named<Name>(parse: () => Name): Name {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InvalidNameError) throw new CliError(EXIT.usage, error.message);
    throw error;
  }
}
