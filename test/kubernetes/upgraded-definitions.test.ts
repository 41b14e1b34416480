// The definitions of custom resources are brought up to date, and back: objects that were stored stay, and what becomes of fields
// that only the newer definition knows. The older one is the present one without some of its optional fields, since 0.1.0 had none.
import { readFileSync } from 'node:fs';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { CRD_FOLDER } from '../../scripts/crds/crds.ts';
import { CUSTOM_RESOURCE_DEFINITION } from '../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../src/adapters/kubernetes/client/objects.ts';
import { SERVICE_ROUTING, VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import { serverObjects } from '../../src/adapters/kubernetes/store/objects.ts';
import type { Json } from '../../src/model/json.ts';
import { eventually } from '../support/eventually.ts';
import { type Definition, install, installKinds } from '../support/kubernetes/custom-resources.ts';
import { type TestNamespace, testNamespace } from '../support/kubernetes/shared-cluster.ts';
import { installStateKinds } from '../support/kubernetes/state-namespace.ts';
import { openedStore } from '../support/kubernetes/stores.ts';
import { recordWith, rolloutRecord } from '../support/stored-history.ts';

type Fields = Readonly<Record<string, Json>>;
interface SpecObject extends KubernetesObject {
  readonly spec: Fields;
}

const NAME = 'manager';
/** What the older definitions do not know: fields of the spec. */
const NEWER: ReadonlyMap<Kind, readonly string[]> = new Map([
  [VERSIONED_SERVICE, ['group', 'retention']],
  [SERVICE_ROUTING, ['primary', 'roll']],
]);

let place: TestNamespace;
beforeEach(async () => {
  place = await testNamespace();
  await installStateKinds(place);
  // Other tests find the present ones.
  onTestFinished(() => installKinds(place, ...NEWER.keys()));
});

/** The definition without the fields that came later; a schema of ours is plain JSON. */
function older({ group, plural }: Kind, fields: readonly string[]): Definition {
  const definition = parse(readFileSync(`${CRD_FOLDER}/${group}_${plural}.yaml`, 'utf8')) as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: SpecSchema } } } }[] };
  };
  const [version] = definition.spec.versions;
  const spec = version?.schema.openAPIV3Schema.properties.spec;
  if (spec === undefined) throw new Error(`${plural} has no schema`);
  for (const field of fields) {
    if (!(field in spec.properties) || spec.required?.includes(field) === true)
      throw new Error(`${plural} has no optional field ${field}`);
    delete spec.properties[field];
  }
  const isAbout = ({ rule }: { readonly rule: string }): boolean =>
    fields.some((field) => rule.includes(`self.${field}`) || rule.includes(`has(self.${field})`));
  spec['x-kubernetes-validations'] = spec['x-kubernetes-validations']?.filter((rule) => !isAbout(rule)) ?? [];
  return definition as unknown as Definition;
}

interface SpecSchema {
  readonly properties: Record<string, unknown>;
  readonly required?: readonly string[];
  'x-kubernetes-validations'?: readonly { readonly rule: string }[];
}

async function become(which: 'older' | 'present'): Promise<void> {
  for (const [kind, fields] of NEWER) {
    if (which === 'older') await install(place, older(kind, fields));
    else await installKinds(place, kind);
  }
  // A definition that was changed is served a moment later.
  const seen = which === 'present';
  await eventually(async () => (await takes({ retention: { keep: 2, max: 4 } })) === seen, {
    what: `${which} definitions`,
    within: 30_000,
  });
}

const spec = {
  version: 'v1',
  listeners: [{ name: 'gateway', domains: ['*'] }],
  pin: { allow: { everywhere: true } },
  runtime: { endpoints: { versions: [{ name: 'v1', addresses: ['127.0.0.1:1'] }] } },
} as const;

function objectWith(more: object, name = NAME): SpecObject {
  const metadata = { name, namespace: place.namespace };
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata,
    spec: { ...spec, ...more },
  };
}

/** Whether the server knows the fields. */
async function takes(more: object): Promise<boolean> {
  const query = { dryRun: 'All', fieldValidation: 'Strict' };
  const path = pathOf(VERSIONED_SERVICE, { namespace: place.namespace });
  return place.api.json({ method: 'POST', path, query, body: objectWith(more, 'probe') }).then(
    () => true,
    () => false,
  );
}

const stored = (kind: Kind): Promise<SpecObject> =>
  place.api.get<SpecObject>(kind, { namespace: place.namespace, name: NAME });

async function change(body: Json): Promise<void> {
  const path = pathOf(VERSIONED_SERVICE, { namespace: place.namespace, name: NAME });
  await place.api.json({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
}

test('objects of an older definition are all there under the newer one, as they were, and the controller takes them', async () => {
  await become('older');
  await place.api.create(VERSIONED_SERVICE, { namespace: place.namespace }, objectWith({}));
  const record = recordWith(rolloutRecord({ service: NAME }));
  const objects = serverObjects(place.api, place.namespace);
  // The older release did not write the newer fields.
  const { store } = await openedStore({
    ...objects,
    create: (kind, object, options) => objects.create(kind, withoutNewer(kind, object), options),
  });
  await store.commit({ services: [record], nextPublication: 9 });
  await store.close();
  const before = await Promise.all([stored(VERSIONED_SERVICE), stored(SERVICE_ROUTING)]);
  expect(before[1].spec).not.toHaveProperty('primary');

  await become('present');
  expect(await Promise.all([stored(VERSIONED_SERVICE), stored(SERVICE_ROUTING)])).toEqual(before);
  const { store: next, told } = await openedStore(objects, { term: 1 });
  const { services, everWritten } = await next.load();
  expect({ services, everWritten }).toEqual({ services: [record], everWritten: true });
  expect(told.troubles).toEqual([]);
  expect((await stored(SERVICE_ROUTING)).spec).toMatchObject({ primary: 'v1' });
  await change({ spec: { retention: { keep: 2, max: 5 } } });
  expect((await stored(VERSIONED_SERVICE)).spec).toMatchObject({ retention: { max: 5 } });
  for (const kind of NEWER.keys()) {
    const name = `${kind.plural}.${kind.group}`;
    const { status } = await place.api.get<KubernetesObject & { readonly status: object }>(
      CUSTOM_RESOURCE_DEFINITION,
      { name },
    );
    expect(status).toMatchObject({ storedVersions: ['v1alpha1'] });
  }
});

test('under an older definition newer fields are not shown; they are lost when the object is written, and else come back', async () => {
  await become('present');
  const { namespace } = place;
  await place.api.create(VERSIONED_SERVICE, { namespace }, objectWith({ retention: { keep: 2, max: 5 } }));
  await become('older');
  const hidden = await stored(VERSIONED_SERVICE);
  expect(hidden.spec).not.toHaveProperty('retention');
  expect(hidden.spec).toMatchObject(spec);
  await become('present');
  expect((await stored(VERSIONED_SERVICE)).spec).toMatchObject({ retention: { max: 5 } });
  await become('older');
  await change({ metadata: { annotations: { 'switchyard.dev/order': 'freeze 1' } } });
  await become('present');
  expect((await stored(VERSIONED_SERVICE)).spec).not.toHaveProperty('retention');
});

function withoutNewer<Item extends KubernetesObject>(kind: Kind, object: Item): Item {
  const fields = NEWER.get(kind) ?? [];
  const entries = Object.entries((object as unknown as SpecObject).spec).filter(
    ([name]) => !fields.includes(name),
  );
  return { ...object, spec: Object.fromEntries(entries) };
}
