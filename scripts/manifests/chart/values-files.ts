/** The files of a Helm chart that its values make: values.yaml with comments, their JSON schema, and those of the dev overlay. */
import { type Json, valueAt } from '../../../src/install/json-patch.ts';
import { type Manifest, manifestText } from '../../../src/install/manifest.ts';
import { objectName } from './edits.ts';
import { VALUES, type Value } from './values.ts';

const HEADER = `# The values of the chart, made with values.schema.json by \`npm run manifests\`. The defaults are those of the production
# overlay (manifests/kubernetes/overlays); values-dev.yaml has those of the small one.
`;
const DEV_HEADER = `# One small replica, as manifests/kubernetes/overlays/dev: \`helm install -f values-dev.yaml\`. Made by \`npm run manifests\`.
`;

/** Values by the parts of their paths: a group's part, then the value's own. */
type Group = ReadonlyMap<string, Group | Value>;

function grouped(values: readonly Value[]): Group {
  const root = new Map<string, Group | Value>();
  for (const value of values) {
    const groups = value.path.split('.');
    const name = groups.pop() ?? value.path;
    let group = root;
    for (const each of groups) {
      const below = group.get(each) ?? new Map<string, Group | Value>();
      group.set(each, below);
      group = below as Map<string, Group | Value>;
    }
    group.set(name, value);
  }
  return root;
}

const isValue = (each: Group | Value): each is Value => 'path' in each;

/** The default of a value: its own, or what the manifests have where it stands; undefined where they have nothing. */
function initialOf(value: Value, manifests: readonly Manifest[]): Json | undefined {
  if (value.initial !== undefined) return value.initial;
  const [place] = value.at ?? [];
  const manifest = manifests.find((each) => objectName(each) === place?.object);
  return place === undefined || manifest === undefined ? undefined : valueAt(manifest as Json, place.pointer);
}

export function valuesText(manifests: readonly Manifest[]): string {
  const text = (name: string, value: Value): string => {
    const initial = initialOf(value, manifests);
    if (initial === undefined) throw new Error(`the value ${value.path} has no default in the manifests`);
    return `# ${value.description}\n${manifestText({ [name]: initial })}`;
  };
  return HEADER + groupText(grouped(VALUES), text);
}

function groupText(group: Group, text: (name: string, value: Value) => string): string {
  return [...group]
    .map(([name, each]) =>
      isValue(each) ? text(name, each) : `${name}:\n${indented(groupText(each, text))}`,
    )
    .join('');
}

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

/** What the dev overlay has otherwise; a budget for one replica would keep its machine from being emptied. */
export function developmentText(production: readonly Manifest[], development: readonly Manifest[]): string {
  const initial = (value: Value): Json =>
    value.path === 'podDisruptionBudget.enabled' ? false : (initialOf(value, development) ?? []);
  const others = VALUES.filter(
    (value) => JSON.stringify(initial(value)) !== JSON.stringify(initialOf(value, production)),
  );
  return DEV_HEADER + groupText(grouped(others), (name, value) => manifestText({ [name]: initial(value) }));
}

/** A value that is not known is a mistake: it would be passed over in silence. */
export function schemaText(): string {
  const { properties, ...rest } = closed(grouped(VALUES));
  // Helm puts `global` there where the chart is part of another one.
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...rest,
    properties: { ...properties, global: { type: 'object' } },
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

function closed(group: Group): {
  readonly type: 'object';
  readonly additionalProperties: false;
  readonly properties: object;
} {
  const properties = [...group].map(([name, each]) => [
    name,
    isValue(each) ? { description: each.description, ...each.schema } : closed(each),
  ]);
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(properties) as object,
  };
}
