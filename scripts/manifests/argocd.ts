/** What Argo CD is to be told of our kinds, as fields of its ConfigMap argocd-cm. */
import { stringify } from 'yaml';
import { type GeneratedFile, sourceText, yamlFile } from './file.ts';

const FOLDER = 'manifests/argocd';
/** Orders that src/custom-resources/orders.ts knows. */
export const ACTIONS = ['pause', 'resume', 'promote', 'promote-full', 'abort', 'retry', 'rollback'] as const;
const KINDS = ['VersionedService', 'Rollout'] as const;

export function argoSettings(): GeneratedFile {
  const health = sourceText(`${FOLDER}/health.lua`);
  const actions = stringify(
    {
      'discovery.lua': sourceText(`${FOLDER}/actions/discovery.lua`),
      definitions: ACTIONS.map((name) => ({
        name,
        'action.lua': sourceText(`${FOLDER}/actions/${name}.lua`),
      })),
    },
    { lineWidth: 0 },
  );
  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data: {
      ...Object.fromEntries(
        KINDS.map((kind) => [`resource.customizations.health.switchyard.dev_${kind}`, health]),
      ),
      // Only of what a person wishes: a Rollout is written by the controller alone.
      'resource.customizations.actions.switchyard.dev_VersionedService': actions,
    },
  };
  return {
    folder: FOLDER,
    file: 'argocd-cm.yaml',
    text: yamlFile('the Lua files of this folder', [settings]),
  };
}
