/** The API server's own description of its kinds as JSON schemas, in files as kubeconform reads them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestNamespace } from './shared-cluster.ts';

interface Definition {
  readonly properties?: object;
  readonly format?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

/** Writes them, each strict, and gives what kubeconform takes as their place. */
export async function writeSchemas({ api }: TestNamespace, folder: string): Promise<string> {
  const { definitions } = await api.json<{ definitions: Readonly<Record<string, Definition>> }>({
    method: 'GET',
    path: '/openapi/v2',
  });
  const strict = JSON.parse(
    JSON.stringify(
      Object.fromEntries(Object.entries(definitions).map(([name, each]) => [name, closed(each)])),
    ),
  ) as Readonly<Record<string, Definition>>;
  for (const definition of Object.values(strict)) {
    for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
      const suffix = group === '' ? version : `${group.split('.')[0]}-${version}`;
      const text = JSON.stringify({ ...definition, definitions: strict });
      writeFileSync(join(folder, `${kind.toLowerCase()}-${suffix}.json`), text);
    }
  }
  return join(folder, '{{ .ResourceKind }}{{ .KindSuffix }}.json');
}

/** Without fields that are not described; a number or a text where Kubernetes takes both. */
function closed(definition: Definition): object {
  if (definition.format === 'int-or-string') return { type: ['integer', 'string'] };
  return definition.properties === undefined ? definition : { ...definition, additionalProperties: false };
}
