/**
 * An artifact from its address into a file: resumed where the last try stopped, bounded by the signed size, and never
 * from a host that the customer does not allow, by redirection either. What is in the file is not trusted yet.
 */
import { createReadStream } from 'node:fs';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { writeDurably } from '../../adapters/durable-file.ts';
import type { Milliseconds } from '../../model/instant.ts';
import { hostOf } from '../allowed.ts';
import { ArtifactError } from './fault.ts';

export interface Download {
  readonly url: string;
  /** Bytes, as signed. */
  readonly size: number;
  /** Where it is put; what an earlier try left there is gone on with. */
  readonly file: string;
  readonly isHostAllowed: (host: string) => boolean;
  /** Called with the bytes that are there, now and then. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

const MOST_REDIRECTS = 3;
/** No byte for so long ends a try. */
const SILENCE: Milliseconds = 30_000;

/** Resolves when the file has `size` bytes. Throws ArtifactError. */
export async function download(wanted: Download): Promise<void> {
  const here = await sizeOf(wanted.file);
  if (here === wanted.size) return;
  if (here > wanted.size) await forget(wanted.file);
  const { content, from, validator } = await contentOf(wanted, here > wanted.size ? 0 : here);
  if (validator !== undefined) await writeDurably(validatorFile(wanted.file), validator);
  await append({ wanted, content, from });
}

/** Removes what a try left. */
export async function forget(file: string): Promise<void> {
  await rm(file, { force: true });
  await rm(validatorFile(file), { force: true });
}

interface Content {
  readonly content: Readable;
  /** The byte that it begins with. */
  readonly from: number;
  /** Tells this content from another one under the same address. */
  readonly validator?: string;
}

async function contentOf(wanted: Download, here: number): Promise<Content> {
  const { url, signal } = wanted;
  if (!url.startsWith('file:')) return contentOverHttp(wanted, here);
  const path = fileURLToPath(url);
  const there = await stat(path).catch((error: Error) => {
    throw new ArtifactError('Again', `cannot read ${path}: ${error.message}`);
  });
  if (!there.isFile()) throw new ArtifactError('Again', `${path} is not a file`);
  // A local file is cheap to read whole, and may have been replaced since.
  return { content: createReadStream(path, { signal }), from: 0 };
}

async function contentOverHttp(wanted: Download, here: number): Promise<Content> {
  const validator = here > 0 ? await readFile(validatorFile(wanted.file), 'utf8').catch(() => '') : '';
  // Without a validator nobody knows whether the rest belongs to what is here.
  const resumes = here > 0 && validator !== '';
  const headers = resumes ? { range: `bytes=${here}-`, 'if-range': validator } : {};
  const response = await respond(wanted, headers);
  const { statusCode = 0, headers: told } = response;
  if (resumes && statusCode === 206 && told['content-range']?.startsWith(`bytes ${here}-`) === true) {
    return { content: response, from: here };
  }
  if (statusCode !== 200) {
    response.destroy();
    if (statusCode === 416 || statusCode === 206) await forget(wanted.file);
    throw new ArtifactError('Again', `${wanted.url} answered ${statusCode}`);
  }
  const etag = told.etag?.startsWith('W/') === true ? undefined : told.etag;
  const found = etag ?? told['last-modified'];
  return { content: response, from: 0, ...(found !== undefined && { validator: found }) };
}

async function respond(
  wanted: Download,
  headers: Readonly<Record<string, string>>,
): Promise<IncomingMessage> {
  let url = wanted.url;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const host = hostOf(url);
    if (host === undefined || url.startsWith('file:') || !wanted.isHostAllowed(host)) {
      throw new ArtifactError(
        'Final',
        `${wanted.url} leads to ${url}, which the customer's policy does not allow`,
      );
    }
    const response = await get(url, headers, wanted.signal);
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(response.statusCode ?? 0) || location === undefined)
      return response;
    response.destroy();
    url = new URL(location, url).href;
  }
  throw new ArtifactError(
    'Again',
    `${wanted.url} leads from one address to the next, more than ${MOST_REDIRECTS} times`,
  );
}

function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = url.startsWith('https:') ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const call = send(url, {
      headers: { 'user-agent': 'switchyard-watcher', ...headers },
      agent: false,
      signal,
    });
    call.setTimeout(SILENCE, () => call.destroy(new Error(`nothing came for ${SILENCE / 1000} s`)));
    call.on('response', resolve);
    call.on('error', (error) =>
      reject(new ArtifactError('Again', `${url} cannot be reached: ${error.message}`)),
    );
    call.end();
  });
}

async function append(work: { wanted: Download; content: Readable; from: number }): Promise<void> {
  const { wanted, content, from } = work;
  const file = await open(wanted.file, from === 0 ? 'w' : 'a', 0o600);
  let bytes = from;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > wanted.size) break;
      await file.write(chunk);
      wanted.onProgress(bytes);
    }
    await file.sync();
  } catch (error) {
    throw new ArtifactError(
      'Again',
      `${wanted.url} broke off after ${bytes} of ${wanted.size} bytes: ${(error as Error).message}`,
    );
  } finally {
    content.destroy();
    await file.close();
  }
  if (bytes === wanted.size) return;
  if (bytes > wanted.size) {
    await forget(wanted.file);
    throw new ArtifactError('Again', `${wanted.url} has more than the ${wanted.size} bytes that were signed`);
  }
  if (work.from === 0 && wanted.url.startsWith('file:')) await forget(wanted.file);
  throw new ArtifactError(
    'Again',
    `${wanted.url} ended after ${bytes} of the ${wanted.size} bytes that were signed`,
  );
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

function validatorFile(file: string): string {
  return `${file}.validator`;
}
