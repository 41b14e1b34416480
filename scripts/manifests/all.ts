/** All files under manifests/ that are made of others. */

import { argoSettings } from './argocd.ts';
import { chartFiles } from './chart/chart.ts';
import { crdChartFiles } from './chart/crds.ts';
import { crdKustomization } from './crds.ts';
import { envoyFiles } from './envoy.ts';
import type { GeneratedFile } from './file.ts';
import { monitoringFiles } from './monitoring.ts';

/** One after the other: the charts are made of what was written before them. */
export function* generatedFiles(): Generator<GeneratedFile, void> {
  yield* envoyFiles();
  yield* monitoringFiles();
  yield crdKustomization();
  yield argoSettings();
  yield* chartFiles();
  yield* crdChartFiles();
}
