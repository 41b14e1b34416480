/** Reads the files that a user names; `-` is standard input. */
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CliError, EXIT } from './exit.ts';

/** A file and what is in it. */
export interface SourceDocument {
  readonly file: string;
  readonly text: string;
}

/** All files, in their order. Throws CliError for the first that cannot be read. */
export async function readDocuments(files: readonly string[], stdin: Readable): Promise<SourceDocument[]> {
  if (files.filter((file) => file === '-').length > 1) {
    throw new CliError(EXIT.usage, 'standard input (-) can be read once only');
  }
  return Promise.all(
    files.map(async (file) => ({
      file: file === '-' ? '<stdin>' : file,
      text: file === '-' ? await text(stdin) : await readFile(file, 'utf8').catch(unreadable(file)),
    })),
  );
}

function unreadable(file: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const reason = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new CliError(EXIT.usage, `cannot read ${file}: ${reason}`);
  };
}
