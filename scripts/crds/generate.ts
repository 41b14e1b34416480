// Writes the CustomResourceDefinitions (`npm run crds`). test/unit/crds says when it is needed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CRD_FOLDER, crdFiles } from './crds.ts';

const folder = resolve(import.meta.dirname, '../..', CRD_FOLDER);
mkdirSync(folder, { recursive: true });
for (const { file, text } of crdFiles()) {
  writeFileSync(join(folder, file), text);
  console.log(`${CRD_FOLDER}/${file}`);
}
