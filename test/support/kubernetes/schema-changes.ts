/**
 * What of a schema of custom resources would break those who have objects, or older controllers: what went, what must be there
 * now, what is narrower than it was. Rules in CEL are not compared.
 */

export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly [limit: string]: unknown;
}

/** Each names the smallest, or the largest, that is taken. */
const LEAST = ['minimum', 'minLength', 'minItems', 'minProperties'];
const MOST = ['maximum', 'maxLength', 'maxItems', 'maxProperties'];

/** One sentence for each change that breaks; `path` is where the schemas stand. */
export function breakingChanges(before: Schema, after: Schema, path = ''): readonly string[] {
  const { properties: known = {}, required: must = [] } = before;
  const { properties = {}, required = [] } = after;
  return [
    ...(before.type === after.type ? [] : [`${path} was ${before.type}, and is ${after.type}`]),
    ...required.filter((name) => !must.includes(name)).map((name) => `${path}.${name} must be there now`),
    ...limits(before, after, path),
    ...(before.enum ?? [])
      .filter((value) => after.enum !== undefined && !after.enum.includes(value))
      .map((value) => `${path} does not take ${JSON.stringify(value)} any more`),
    ...Object.entries(known).flatMap(([name, schema]) => {
      const now = properties[name];
      return now === undefined
        ? [`${path}.${name} is gone`]
        : breakingChanges(schema, now, `${path}.${name}`);
    }),
    ...inside(before.items, after.items, `${path}[]`),
    ...inside(asSchema(before.additionalProperties), asSchema(after.additionalProperties), `${path}.*`),
  ];
}

function inside(before: Schema | undefined, after: Schema | undefined, path: string): readonly string[] {
  if (before === undefined) return [];
  return after === undefined ? [`${path} is gone`] : breakingChanges(before, after, path);
}

function limits(before: Schema, after: Schema, path: string): readonly string[] {
  const narrower = (names: readonly string[], isNarrower: (was: number, is: number) => boolean) =>
    names.filter((name) => {
      const [was, is] = [before[name], after[name]];
      return typeof is === 'number' && (typeof was !== 'number' || isNarrower(was, is));
    });
  return [...narrower(LEAST, (was, is) => is > was), ...narrower(MOST, (was, is) => is < was)].map(
    (name) =>
      `${path} has ${name} ${JSON.stringify(after[name])}, which was ${JSON.stringify(before[name] ?? 'open')}`,
  );
}

function asSchema(schema: Schema | boolean | undefined): Schema | undefined {
  return typeof schema === 'object' ? schema : undefined;
}
