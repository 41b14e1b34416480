// What is generated under manifests/ is what its sources say now, and nothing is left of what is gone.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { generatedFiles } from '../../../scripts/manifests/all.ts';
import { ACTIONS } from '../../../scripts/manifests/argocd.ts';
import { BOOTSTRAPS } from '../../../scripts/manifests/envoy.ts';
import { newOrder, ORDER_ANNOTATION } from '../../../src/custom-resources/orders.ts';
import { runCli } from '../../support/admin/cli.ts';

const generated = [...generatedFiles()];

test.each(generated.map(({ folder, file, text }) => [join(folder, file), text] as const))(
  '%s is up to date (run: npm run manifests)',
  (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

test('the charts have no template of an object that is gone', () => {
  const made = generated.map(({ folder, file }) => join(folder, file));
  const there = globSync('manifests/helm/*/templates/*.yaml');
  expect(there.filter((path) => !made.includes(path))).toEqual([]);
  expect(there.length).toBeGreaterThan(20);
});

test.each(ACTIONS)("Argo CD's action %s is an order that the controller takes", (action) => {
  const { data } = parse(readFileSync('manifests/argocd/argocd-cm.yaml', 'utf8')) as {
    data: Record<string, string>;
  };
  expect(data['resource.customizations.actions.switchyard.dev_VersionedService']).toContain(
    `= "${action} " ..`,
  );
  const order = newOrder({ [ORDER_ANNOTATION]: `${action} 2026-11-30T02:40:00Z` }, { observedGeneration: 1 });
  expect(order?.kind).toBe('Verb');
});

// kubectl and Helm still read YAML 1.1, where a bare `on`, `no` or `y` is no text: not as a field's name either.
test.each(globSync('{manifests/{kubernetes,argocd,flux,helm/switchyard-crds},examples/specs}/**/*.yaml'))(
  '%s means the same in YAML 1.1',
  (path) => {
    const read = (version: '1.1' | '1.2'): unknown =>
      (parseAllDocuments(readFileSync(path, 'utf8'), { version }) as { toJS(): unknown }[]).map((each) =>
        each.toJS(),
      );
    expect(read('1.1')).toEqual(read('1.2'));
  },
);

describe("an Envoy's ConfigMap is what the command prints", () => {
  test.each([
    ['manifests/kubernetes/gateway/envoy.yaml', BOOTSTRAPS.gateway],
    ['manifests/kubernetes/examples/sidecar-envoy.yaml', BOOTSTRAPS.sidecar],
  ])('%s', async (path, command) => {
    const { stdout } = await runCli([...command]);
    expect(parse(readFileSync(path, 'utf8'))).toMatchObject({ data: { 'envoy.json': stdout } });
    expect(JSON.parse(stdout)).toMatchObject({
      static_resources: { listeners: [{ name: 'switchyard_stats' }] },
    });
  });
});
