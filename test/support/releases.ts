/** Releases of a delegate for tests of watchers: a key pair, signed artifacts in a folder, and a web server that misbehaves as asked. */
import { createHash, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { create } from 'tar';
import { makeKeyPair, readPrivateKey, readPublicKey, signArtifact } from '../../src/artifact/signing.ts';
import type { Artifact } from '../../src/model/goal-state.ts';
import { type ServiceName, serviceName, versionName } from '../../src/model/names.ts';

export interface Releases {
  readonly folder: string;
  readonly publicKey: KeyObject;
  readonly publicKeyFile: string;
  readonly privateKeyFile: string;
  /** Signs a file of the folder. */
  sign(file: string, facts: SignedFacts): Artifact;
  /** An archive with these files, signed. */
  archive(name: string, files: Readonly<Record<string, string>>, facts: SignedFacts): Promise<Artifact>;
}

export interface SignedFacts {
  readonly version: string;
  readonly command: readonly string[];
  readonly service?: string;
  readonly url?: string;
  readonly size?: number;
  readonly key?: KeyObject;
}

export function makeReleases(folder: string): Releases {
  mkdirSync(folder, { recursive: true });
  const pair = makeKeyPair();
  const publicKeyFile = join(folder, 'release.pub');
  const privateKeyFile = join(folder, 'release.key');
  writeFileSync(publicKeyFile, pair.publicKey);
  writeFileSync(privateKeyFile, pair.privateKey, { mode: 0o600 });
  const privateKey = readPrivateKey(pair.privateKey, privateKeyFile);
  const sign = (file: string, facts: SignedFacts): Artifact => {
    const content = readFileSync(file);
    const service: ServiceName = serviceName(facts.service ?? 'manager');
    const unsigned = {
      service,
      version: versionName(facts.version),
      sha256: createHash('sha256').update(content).digest('hex'),
      size: facts.size ?? content.length,
      command: facts.command,
    };
    const signature = signArtifact(unsigned, facts.key ?? privateKey);
    return { ...unsigned, url: facts.url ?? `file://${file}`, signature };
  };
  return {
    folder,
    publicKey: readPublicKey(pair.publicKey, publicKeyFile),
    publicKeyFile,
    privateKeyFile,
    sign,
    async archive(name, files, facts) {
      const content = join(folder, `${name}.content`);
      mkdirSync(content, { recursive: true });
      for (const [file, text] of Object.entries(files))
        writeFileSync(join(content, file), text, { mode: 0o700 });
      const path = join(folder, `${name}.tar.gz`);
      await create({ file: path, gzip: true, cwd: content, portable: true }, Object.keys(files));
      return sign(path, facts);
    },
  };
}

export interface ReleaseServer {
  readonly url: string;
  /** What was asked for, with its range. */
  readonly requests: readonly { readonly path: string; readonly range: string | undefined }[];
  /** The next answers are cut after so many bytes. */
  cutAfter: number | undefined;
  /** Files change under the same address: their tag is another one. */
  tag: string;
  /** Answers with a redirection to there. */
  redirect: string | undefined;
  close(): Promise<void>;
}

/** Serves the files of a folder with ranges, as any web server does. */
export async function serveReleases(folder: string): Promise<ReleaseServer> {
  const requests: { path: string; range: string | undefined }[] = [];
  const server: Server = createServer((request, response) => {
    const path = basename(request.url ?? '');
    requests.push({ path, range: request.headers.range });
    if (made.redirect !== undefined) {
      response.writeHead(302, { location: made.redirect }).end();
      return;
    }
    const content = readFileSync(join(folder, path));
    const from = rangeOf(request, made.tag);
    if (from > 0 && from >= content.length) {
      response.writeHead(416).end();
      return;
    }
    const end = made.cutAfter === undefined ? content.length : from + made.cutAfter;
    // No length, so that the end of what is sent is no error of the protocol.
    const range = from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` };
    response.writeHead(from > 0 ? 206 : 200, { etag: made.tag, ...range });
    response.end(content.subarray(from, end));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const made: ReleaseServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    cutAfter: undefined,
    tag: '"one"',
    redirect: undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return made;
}

function rangeOf(request: IncomingMessage, tag: string): number {
  if (request.headers['if-range'] !== tag) return 0;
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}
