/** What the protos say of their fields, for `kubectl explain`: the comment above each. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DescField } from '@bufbuild/protobuf';

const root = resolve(import.meta.dirname, '../../proto');
const texts = new Map<string, readonly string[]>();

/** The comment as one paragraph. Throws where a field has none. */
export function commentOfField(field: DescField): string {
  const { file, name: message } = field.parent;
  const lines = linesOf(`${file.name}.proto`);
  const begin = lines.findIndex((line) => line.trim() === `message ${message} {`);
  const declares = new RegExp(`\\s${field.name} = ${field.number}[;\\s]`);
  const at = lines.findIndex((line, index) => index > begin && declares.test(line));
  const comment: string[] = [];
  for (let index = at - 1; lines[index]?.trim().startsWith('//'); index -= 1) {
    comment.unshift((lines[index] ?? '').trim().replace(/^\/\/ ?/, ''));
  }
  if (begin < 0 || at < 0 || comment.length === 0)
    throw new Error(`proto/${file.name}.proto says nothing of ${message}.${field.name}`);
  return comment.join(' ');
}

function linesOf(file: string): readonly string[] {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const lines = readFileSync(join(root, file), 'utf8').split('\n');
  texts.set(file, lines);
  return lines;
}
