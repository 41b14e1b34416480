// What others look manifests over with, without a cluster: kubeconform with the API server's own schemas, and kubectl-validate
// with our custom resources, whose rules it evaluates too.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { BAD, documentWith } from '../../support/kubernetes/bad-services.ts';
import { type Ended, outputOf, runTool, scratchFolder } from '../../support/kubernetes/manifest-tools.ts';
import { writeSchemas } from '../../support/kubernetes/schemas.ts';
import { testNamespace } from '../../support/kubernetes/shared-cluster.ts';

test('kubeconform takes all that we install, and would find a mistake', async () => {
  const schemas = await writeSchemas(await testNamespace(), scratchFolder());
  // Kinds of custom resources are described elsewhere.
  const skipped = 'CustomResourceDefinition,PodMonitor,PrometheusRule';
  const conforms = (path: string): Promise<Ended> =>
    runTool('kubeconform', ['-strict', '-summary', '-schema-location', schemas, '-skip', skipped, path]);

  const folder = scratchFolder();
  for (const name of ['overlays/production', 'overlays/dev', 'gateway', 'monitoring', 'examples']) {
    const text = await outputOf('kustomize', 'build', join('manifests/kubernetes', name));
    writeFileSync(join(folder, `${name.replace('/', '-')}.yaml`), text);
  }
  const { code, stdout } = await conforms(folder);
  expect(stdout).toMatch(/Invalid: 0, Errors: 0/);
  expect(code).toBe(0);
  expect(Number(/Valid: (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(30);

  const gateway = await outputOf('kustomize', 'build', 'manifests/kubernetes/gateway');
  const file = join(scratchFolder(), 'bad.yaml');
  for (const [text, mistake] of [
    ['kind: Service\n', 'kind: Service\nspecs: {}\n'],
    ['app.kubernetes.io/name: switchyard', 'app.kubernetes.io/name: 7'],
  ] as const) {
    expect(gateway).toContain(text);
    writeFileSync(file, gateway.replace(text, mistake));
    expect(await conforms(file)).toMatchObject({ code: 1 });
  }
});

describe('kubectl-validate', () => {
  type Verdicts = Readonly<Record<string, readonly { readonly status: string; readonly message?: string }[]>>;

  /** What it says of each file of a folder, by the file's name. */
  async function verdicts(folder: string): Promise<Readonly<Record<string, string>>> {
    const args = [folder, '--local-crds', 'manifests/kubernetes/crds', '--output', 'json'];
    const { stdout } = await runTool('kubectl-validate', args);
    const said = JSON.parse(stdout) as Verdicts;
    return Object.fromEntries(
      Object.entries(said).map(([file, results]) => [
        basename(file, '.yaml'),
        results.map(({ status, message = '' }) => `${status} ${message}`.trim()).join('; '),
      ]),
    );
  }

  test('takes our examples and the smallest service', async () => {
    expect(await verdicts('examples/specs')).toEqual(
      Object.fromEntries(readdirSync('examples/specs').map((file) => [basename(file, '.yaml'), 'Success'])),
    );
    const folder = scratchFolder();
    writeFileSync(join(folder, 'small.yaml'), stringify(documentWith({})));
    expect(await verdicts(folder)).toEqual({ small: 'Success' });
  });

  test('refuses each of the documents that break one rule', async () => {
    const folder = join(scratchFolder(), 'bad');
    mkdirSync(folder);
    for (const [rule, spec] of Object.entries(BAD)) {
      const document = JSON.parse(JSON.stringify(documentWith(spec))) as object;
      writeFileSync(join(folder, `${rule.replaceAll('/', ' ')}.yaml`), stringify(document));
    }
    const said = await verdicts(folder);
    expect(Object.keys(said).length).toBe(Object.keys(BAD).length);
    const taken = Object.entries(said).filter(([, verdict]) => !verdict.startsWith('Failure'));
    expect(taken).toEqual([]);
  });
});
