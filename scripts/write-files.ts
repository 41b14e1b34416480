// Writes generated files into a folder of the repository, and says which.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** `folder`: from the root of the repository; it is made where it is not there. */
export function writeFiles(
  folder: string,
  files: readonly { readonly file: string; readonly text: string }[],
): void {
  const path = resolve(import.meta.dirname, '..', folder);
  mkdirSync(path, { recursive: true });
  for (const { file, text } of files) {
    writeFileSync(join(path, file), text);
    console.log(`${folder}/${file}`);
  }
}
