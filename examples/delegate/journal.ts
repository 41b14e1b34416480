/**
 * The tasks that a delegate has, on disk: written before a task begins and before its result is sent, removed when the
 * result was acknowledged. So kill -9 at any moment loses no result, and no task is told of in two ways.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareFolder, removeDurably, writeDurably } from '../../src/adapters/durable-file.ts';
import type { TaskOutcome } from '../../src/model/workflow.ts';

/** A task with the token under which it was assigned. */
export interface Lease {
  readonly task: string;
  readonly token: bigint;
}

/** What is kept of a task. */
export type TaskRecord =
  /** `family` is in the environment of its processes and names them on this machine. */
  | { readonly state: 'Running'; readonly lease: Lease; readonly family: string }
  | { readonly state: 'Done'; readonly lease: Lease; readonly outcome: TaskOutcome };

const ENDING = '.json';
/** What a task may be called, since files are named after it. */
const TASK_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Whether a task may be called so. */
export function isTaskName(task: string): boolean {
  return TASK_PATTERN.test(task);
}

export class Journal {
  readonly #folder: string;
  readonly #work: string;
  /** Of this data folder, for ever: families of two delegates on one machine differ. */
  readonly owner: string;

  private constructor(parts: { folder: string; work: string; owner: string }) {
    this.#folder = parts.folder;
    this.#work = parts.work;
    this.owner = parts.owner;
  }

  /** Opens the journal of a data folder, and makes it where there is none. Rejects where the disk fails. */
  static async open(data: string): Promise<Journal> {
    const [folder, work] = [join(data, 'tasks'), join(data, 'work')];
    for (const each of [data, folder, work]) await prepareFolder(each);
    return new Journal({ folder, work, owner: await ownerOf(data) });
  }

  /** All records. One that cannot be read is put aside and told of. */
  async records(onUnreadable: (file: string) => void): Promise<readonly TaskRecord[]> {
    const records: TaskRecord[] = [];
    for (const name of (await readdir(this.#folder)).toSorted()) {
      if (!name.endsWith(ENDING)) continue;
      const path = join(this.#folder, name);
      const record = parse(await readFile(path, 'utf8'));
      if (record !== undefined && name === fileOf(record.lease)) records.push(record);
      else {
        await rename(path, `${path}.unreadable`);
        onUnreadable(`${path}.unreadable`);
      }
    }
    return records;
  }

  /** Is on disk once it has resolved. */
  async write(record: TaskRecord): Promise<void> {
    const lease = { task: record.lease.task, token: String(record.lease.token) };
    await writeDurably(join(this.#folder, fileOf(record.lease)), JSON.stringify({ ...record, lease }));
  }

  async forget(lease: Lease): Promise<void> {
    await removeDurably(join(this.#folder, fileOf(lease)));
  }

  /** A folder for one task, empty. */
  async workFolder(lease: Lease): Promise<string> {
    const folder = join(this.#work, nameOf(lease));
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  async removeWorkFolder(lease: Lease): Promise<void> {
    await rm(join(this.#work, nameOf(lease)), { recursive: true, force: true });
  }
}

async function ownerOf(data: string): Promise<string> {
  const path = join(data, 'owner');
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const owner = randomUUID();
    await writeDurably(path, `${owner}\n`);
    return owner;
  }
}

export function nameOf({ task, token }: Lease): string {
  return `${task}.${token}`;
}

function fileOf(lease: Lease): string {
  return `${nameOf(lease)}${ENDING}`;
}

function parse(text: string): TaskRecord | undefined {
  try {
    const { lease, ...rest } = JSON.parse(text) as { lease: { task: string; token: string }; state: string };
    const parsed = { ...rest, lease: { task: lease.task, token: BigInt(lease.token) } } as TaskRecord;
    return parsed.state === 'Running' || parsed.state === 'Done' ? parsed : undefined;
  } catch {
    return undefined;
  }
}
