/** The bootstraps of the Envoys in our manifests: what `switchyard bootstrap` prints, in ConfigMaps. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { type GeneratedFile, KUSTOMIZE_FOLDER, labelsOf, yamlFile } from './file.ts';

const XDS = ['--xds-address', 'switchyard-xds:18000', '--stats-address', '0.0.0.0:9902'];

/** The command for each. A Pod gives its Envoy its own name, so that the one in the file does not count. */
export const BOOTSTRAPS = {
  gateway: ['bootstrap', '--node-id', 'gateway', ...XDS],
  sidecar: ['bootstrap', '--node-id', 'sidecar', '--cluster', 'sidecars', ...XDS],
} as const;

export function envoyFiles(): readonly GeneratedFile[] {
  return [
    {
      folder: `${KUSTOMIZE_FOLDER}/gateway`,
      file: 'envoy.yaml',
      text: configMap({ name: 'switchyard-gateway', command: BOOTSTRAPS.gateway }),
    },
    {
      folder: `${KUSTOMIZE_FOLDER}/examples`,
      file: 'sidecar-envoy.yaml',
      text: configMap({ name: 'switchyard-sidecar', command: BOOTSTRAPS.sidecar }),
    },
  ];
}

function configMap({ name, command }: { name: string; command: readonly string[] }): string {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: labelsOf('gateway') },
    data: { 'envoy.json': printed(command) },
  };
  return yamlFile(`\`switchyard ${command.join(' ')}\``, [object]);
}

function printed(command: readonly string[]): string {
  const root = resolve(import.meta.dirname, '../..');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['src/main.ts', ...command], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`switchyard ${command.join(' ')} failed: ${stderr}`);
  return stdout;
}
