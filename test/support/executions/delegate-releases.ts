/**
 * Releases of the example delegate as its vendor makes them: an archive with a launcher, signed and published with
 * `switchyard artifact`, by a key that neither the controller nor a box has.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { create } from 'tar';
import { parseManifest } from '../../../src/artifact/manifest.ts';
import type { Artifact } from '../../../src/model/goal-state.ts';

const DELEGATE = join(import.meta.dirname, '..', '..', '..', 'examples', 'delegate', 'main.ts');
/** Tasks that one delegate takes at a time. */
const CAPACITY = 6;

export type RunCommand = (...args: readonly string[]) => Promise<string>;

export class DelegateReleases {
  readonly publicKeyFile: string;
  readonly #folder: string;
  readonly #run: RunCommand;

  private constructor(folder: string, run: RunCommand) {
    this.#folder = folder;
    this.#run = run;
    this.publicKeyFile = join(folder, 'release.key.pub');
  }

  /** Makes the key pair. `run` runs `switchyard` with its arguments. */
  static async prepare(folder: string, run: RunCommand): Promise<DelegateReleases> {
    await mkdir(folder, { recursive: true });
    await run('artifact', 'keygen', join(folder, 'release.key'));
    return new DelegateReleases(folder, run);
  }

  /** Signs and publishes a version; gives its manifest. */
  async publish(service: string, version: string): Promise<Artifact> {
    const content = join(this.#folder, `${version}.content`);
    await mkdir(content);
    const launcher = join(content, 'delegate');
    await writeFile(launcher, `#!/bin/sh\n# Release ${version}.\nexec "${execPath}" "${DELEGATE}" "$@"\n`);
    await chmod(launcher, 0o755);
    const archive = join(this.#folder, `delegate-${version}.tar.gz`);
    await create({ file: archive, gzip: true, cwd: content }, ['delegate']);
    const key = join(this.#folder, 'release.key');
    await this.#run('artifact', 'sign', archive, service, version, '--key', key, '--', ...COMMAND.split(' '));
    return parseManifest(
      await this.#run('artifact', 'publish', archive, '--to', join(this.#folder, 'published')),
    );
  }
}

/** As the watcher of a box is to start it. */
const COMMAND =
  '${artifact}/delegate --version ${version} --tenant ${tenant} --box ${box} --data ${data} --port ${port} ' +
  `--gateway \${env.GATEWAY} --capacity ${CAPACITY} --ask-again-after 5000`;
