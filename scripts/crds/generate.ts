// Writes the CustomResourceDefinitions (`npm run crds`). test/unit/crds says when it is needed.
import { writeFiles } from '../write-files.ts';
import { CRD_FOLDER, crdFiles } from './crds.ts';

writeFiles(CRD_FOLDER, crdFiles());
