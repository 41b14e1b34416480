/**
 * The chart of the custom resources. It is one of its own: they belong to the whole cluster, while the controller is installed
 * for a namespace. They are templates, since Helm never upgrades what is in a chart's folder crds/; and they stay when the
 * release goes, since all objects of theirs would go with them.
 */
import { parse } from 'yaml';
import { manifestText } from '../../../src/install/manifest.ts';
import { CRD_FOLDER } from '../../crds/crds.ts';
import { crdFileNames } from '../crds.ts';
import { type GeneratedFile, sourceText } from '../file.ts';
import { packageVersion } from './chart.ts';
import { GENERATED, Places, templateText } from './template.ts';

const FOLDER = 'manifests/helm/switchyard-crds';

interface Definition {
  readonly metadata: { readonly name: string };
}

export function crdChartFiles(): readonly GeneratedFile[] {
  return [
    { folder: FOLDER, file: 'Chart.yaml', text: chartText() },
    ...crdFileNames().map((file) => ({
      folder: `${FOLDER}/templates`,
      file,
      text: `# ${GENERATED} from ${CRD_FOLDER}.\n${kept(file)}`,
    })),
  ];
}

function kept(file: string): string {
  const definition = parse(sourceText(`${CRD_FOLDER}/${file}`)) as Definition;
  const metadata = { ...definition.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } };
  return templateText({ ...definition, metadata }, new Places());
}

function chartText(): string {
  return manifestText({
    apiVersion: 'v2',
    name: 'switchyard-crds',
    description: 'The custom resources of Switchyard, once for a cluster.',
    type: 'application',
    version: packageVersion(),
    appVersion: packageVersion(),
    kubeVersion: '>=1.30.0-0',
  });
}
