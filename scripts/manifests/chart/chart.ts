/**
 * The Helm chart, made of the same kustomizations as everything else: each object becomes a template, and the values of
 * values.ts take the place of what the production overlay says, which is their default.
 */
import { type Installation, manifestsOf } from '../../../src/install/installation.ts';
import { type Json, patched, valueAt } from '../../../src/install/json-patch.ts';
import { type Manifest, manifestText } from '../../../src/install/manifest.ts';
import { type GeneratedFile, KUSTOMIZE_FOLDER, sourceText } from '../file.ts';
import { conditionOf, editsOf } from './edits.ts';
import { GENERATED, Places, templateText } from './template.ts';
import { developmentText, schemaText, valuesText } from './values-files.ts';

const FOLDER = 'manifests/helm/switchyard';

/** Everything that the chart can install. */
const ALL: Installation = {
  namespace: 'switchyard',
  overlay: 'production',
  withGateway: true,
  withMonitoring: true,
  adminInCluster: true,
  crds: 'LeftOut',
  createNamespace: false,
};

export function renderedManifests(wish: Partial<Installation> = {}): readonly Manifest[] {
  return manifestsOf({ ...ALL, ...wish }, (path) => sourceText(`${KUSTOMIZE_FOLDER}/${path}`));
}

export function chartFiles(): readonly GeneratedFile[] {
  const production = renderedManifests();
  return [
    { folder: FOLDER, file: 'Chart.yaml', text: chartText() },
    { folder: FOLDER, file: 'values.yaml', text: valuesText(production) },
    {
      folder: FOLDER,
      file: 'values-dev.yaml',
      text: developmentText(production, renderedManifests({ overlay: 'dev' })),
    },
    { folder: FOLDER, file: 'values.schema.json', text: schemaText() },
    ...production.map((manifest) => ({
      folder: `${FOLDER}/templates`,
      file: `${manifest.metadata.name}-${manifest.kind.toLowerCase()}.yaml`,
      text: template(manifest),
    })),
  ];
}

function template(manifest: Manifest): string {
  const places = new Places();
  const namespace = places.put('.Release.Namespace | toJson');
  const edited = editsOf(manifest).reduce<Json>(
    (value, { pointer: path, expression, isOptional = false }) => {
      const op = valueAt(value, path) === undefined ? 'add' : 'replace';
      return patched(value, [{ op, path, value: places.put(expression, isOptional) }]);
    },
    { ...manifest, metadata: { ...manifest.metadata, namespace } } as Json,
  );
  const moved = replaceNamespaces(edited, namespace);
  const text = templateText(moved as object, places);
  const condition = conditionOf(manifest);
  const origin = `${GENERATED} from ${KUSTOMIZE_FOLDER}.`;
  return condition === undefined
    ? `# ${origin}\n${text}`
    : `{{- /* ${origin} */}}\n{{- if ${condition} }}\n${text}{{- end }}\n`;
}

/** The list of a RoleBinding's subjects names the namespace too. */
function replaceNamespaces(value: Json, namespace: string): Json {
  const { subjects } = value as { readonly subjects?: readonly object[] };
  if (subjects === undefined) return value;
  return { ...(value as object), subjects: subjects.map((subject) => ({ ...subject, namespace })) };
}

function chartText(): string {
  return manifestText({
    apiVersion: 'v2',
    name: 'switchyard',
    description:
      'A traffic controller for services that must run several versions at once, for one namespace.',
    type: 'application',
    version: packageVersion(),
    appVersion: packageVersion(),
    kubeVersion: '>=1.30.0-0',
    keywords: ['xds', 'envoy', 'rollout', 'canary'],
  });
}

export function packageVersion(): string {
  return (JSON.parse(sourceText('package.json')) as { version: string }).version;
}
