/**
 * The records of all instances, one file each, written so that a crash leaves the old one or the new one. The folder
 * belongs to one controller at a time.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareFolder, removeDurably, writeDurably } from '../durable-file.ts';
import { Turns } from '../turns.ts';
import { type InstanceRecord, parseRecord, printRecord } from './record.ts';

const EXTENSION = '.json';

export class Journal {
  readonly #folder: string;
  /** Writes of one record follow each other. */
  readonly #turns = new Turns<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<Journal> {
    await prepareFolder(folder);
    return new Journal(folder);
  }

  /** All records. Throws Error with the file's name where one cannot be understood: it may stand for a running process. */
  async load(): Promise<readonly InstanceRecord[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(EXTENSION)).toSorted();
    return Promise.all(names.map((name) => this.#read(join(this.#folder, name))));
  }

  async write(record: InstanceRecord): Promise<void> {
    await this.#turns.take(record.id, () => writeDurably(this.#path(record.id), printRecord(record)));
  }

  async remove(id: string): Promise<void> {
    await this.#turns.take(id, () => removeDurably(this.#path(id)));
  }

  async #read(path: string): Promise<InstanceRecord> {
    try {
      return parseRecord(await readFile(path, 'utf8'));
    } catch (error) {
      throw new Error(
        `${path} cannot be understood: ${(error as Error).message}. It may stand for a running process: stop the process whose environment has SWITCHYARD_INSTANCE set to the name of this file, then remove the file`,
        { cause: error },
      );
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}${EXTENSION}`);
  }
}
