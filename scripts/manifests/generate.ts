// Writes what the manifests hold of other files and of our own commands, and the Helm charts (`npm run manifests`).
// test/unit/manifests says when it is needed.
import { writeFiles } from '../write-files.ts';
import { generatedFiles } from './all.ts';

for (const file of generatedFiles()) writeFiles(file.folder, [file]);
