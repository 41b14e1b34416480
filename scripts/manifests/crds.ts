/** The kustomization of the custom resources: it names their files, since kustomize finds none by itself. */
import { globSync } from 'node:fs';
import { CRD_FOLDER } from '../crds/crds.ts';
import { type GeneratedFile, yamlFile } from './file.ts';

/** The files of the CustomResourceDefinitions that `npm run crds` has written. */
export function crdFileNames(): readonly string[] {
  return globSync('switchyard.dev_*.yaml', { cwd: CRD_FOLDER }).toSorted();
}

export function crdKustomization(): GeneratedFile {
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: crdFileNames(),
  };
  return {
    folder: CRD_FOLDER,
    file: 'kustomization.yaml',
    text: yamlFile('the files of this folder', [kustomization]),
  };
}
