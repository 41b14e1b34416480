/**
 * A copy of each watched file as it was when it was last good. With it a controller that restarts while the file is
 * broken or away goes on with the addresses that it had, instead of showing proxies an empty version (rule 7).
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceName } from '../../model/names.ts';
import { removeDurably, writeDurably } from '../durable-file.ts';

/** The text of a file that was good. */
export interface GoodText {
  readonly file: string;
  readonly text: string;
}

export class LastGood {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The copy kept for a service, or undefined. Throws where it cannot be read. */
  async read(service: ServiceName): Promise<GoodText | undefined> {
    let json: string;
    try {
      json = await readFile(this.#path(service), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const kept = JSON.parse(json) as Partial<GoodText>;
    if (typeof kept.file !== 'string' || typeof kept.text !== 'string') {
      throw new Error(`${this.#path(service)} must hold {"file", "text"}; remove it to begin without a copy`);
    }
    return { file: kept.file, text: kept.text };
  }

  async write(service: ServiceName, good: GoodText): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await writeDurably(this.#path(service), `${JSON.stringify(good)}\n`);
  }

  async remove(service: ServiceName): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    await removeDurably(this.#path(service));
  }

  #path(service: ServiceName): string {
    return join(this.#folder, `${service}.json`);
  }
}
