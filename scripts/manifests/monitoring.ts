/** The rules for Prometheus and the dashboards for Grafana, as the objects by which a cluster's own tools find them. */
import { parse } from 'yaml';
import { dashboardFiles } from '../dashboards/all.ts';
import { type GeneratedFile, KUSTOMIZE_FOLDER, labelsOf, sourceText, yamlFile } from './file.ts';

const FOLDER = `${KUSTOMIZE_FOLDER}/monitoring`;
const RULE_FILES = ['recording-rules', 'alert-rules'] as const;

export function monitoringFiles(): readonly GeneratedFile[] {
  return [
    {
      folder: FOLDER,
      file: 'rules.yaml',
      text: yamlFile('manifests/prometheus', RULE_FILES.map(rule)),
    },
    {
      folder: FOLDER,
      file: 'dashboards.yaml',
      text: yamlFile('manifests/grafana', dashboardFiles().map(dashboard)),
    },
  ];
}

function rule(name: (typeof RULE_FILES)[number]): object {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: `switchyard-${name}`, labels: labelsOf('monitoring') },
    spec: parse(sourceText(`manifests/prometheus/${name}.yaml`)) as object,
  };
}

/** Grafana's sidecar looks for the label. One for each, since an object has at most a megabyte. */
function dashboard({ file, text }: { file: string; text: string }): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `switchyard-dashboard-${file.replace('.json', '')}`,
      labels: { ...labelsOf('monitoring'), grafana_dashboard: '1' },
    },
    data: { [`switchyard-${file}`]: text },
  };
}
