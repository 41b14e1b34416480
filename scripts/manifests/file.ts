/** A generated file, and how YAML is written into one. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { manifestText } from '../../src/install/manifest.ts';

export interface GeneratedFile {
  /** From the root of the repository. */
  readonly folder: string;
  readonly file: string;
  readonly text: string;
}

const root = resolve(import.meta.dirname, '../..');

/** The kustomizations that all is put together from, from the root of the repository. */
export const KUSTOMIZE_FOLDER = 'manifests/kubernetes';

/** The text of a file of the repository. */
export function sourceText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Objects as one YAML file; `origin` says in its first line what it is made of. */
export function yamlFile(origin: string, objects: readonly object[]): string {
  return `# Written by \`npm run manifests\` from ${origin}.\n${objects.map(manifestText).join('---\n')}`;
}

/** The labels of an object of ours. */
export function labelsOf(
  component: 'controller' | 'gateway' | 'monitoring',
): Readonly<Record<string, string>> {
  return { 'app.kubernetes.io/name': 'switchyard', 'app.kubernetes.io/component': component };
}
