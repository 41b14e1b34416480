/**
 * A copy of what each watched file listed when it was last good. With it a controller that restarts while the file is
 * broken or away goes on with the addresses that it had, instead of showing proxies an empty version (rule 7).
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '../../model/names.ts';
import type { EndpointsVersion, SocketAddress } from '../../model/spec.ts';
import { removeDurably, writeDurably } from '../durable-file.ts';
import { count, list, object, text } from '../stored/shape.ts';
import { storedVersionName } from '../stored/simple.ts';
import type { FileListing } from './listing.ts';

const versions = list(
  object<EndpointsVersion>({
    name: storedVersionName,
    addresses: list(object<SocketAddress>({ host: text, port: count })),
  }),
);
const stored = object<FileListing>({ file: text, versions, kept: versions });

export class LastGood {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The copy kept for a service, or undefined. Throws where it cannot be read. */
  async read(service: ServiceName): Promise<FileListing | undefined> {
    let json: string;
    try {
      json = await readFile(this.#path(service), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return stored.read(JSON.parse(json), '');
  }

  async write(service: ServiceName, listing: FileListing): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeDurably(this.#path(service), `${JSON.stringify(listing)}\n`);
  }

  async remove(service: ServiceName): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await removeDurably(this.#path(service));
  }

  #path(service: ServiceName): string {
    return join(this.#folder, `${service}.json`);
  }
}
