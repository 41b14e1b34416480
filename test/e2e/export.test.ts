/** The way out: what `export envoy` prints is a configuration that a stock Envoy takes and runs without a controller. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findTool } from '../../scripts/tools.ts';
import { versionName } from '../../src/model/names.ts';
import type { VersionedService } from '../../src/model/spec.ts';
import type { ServiceRoutes } from '../../src/model/table.ts';
import { type BootstrapOptions, bootstrap } from '../../src/xds/bootstrap.ts';
import { exportEnvoy } from '../../src/xds/export.ts';
import { notRun } from '../support/not-run.ts';
import { full, seed } from '../support/seed.ts';
import { anySpec } from '../support/specs.ts';
import { type RoutesFacts, serviceRoutes, table } from '../support/tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-export-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `envoy --mode validate` says of a configuration. */
function validate(configuration: object): string {
  const tool = findTool('envoy');
  const program = tool.kind === 'found' ? tool.path : notRun('envoy --mode validate', tool.why);
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(configuration));
  const { stdout, stderr } = spawnSync(program, ['--mode', 'validate', '-c', file, '-l', 'error'], {
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`.replaceAll(file, 'FILE').trim();
}

function inputsOf(stage: string): string[] {
  return readdirSync(join('test/golden', stage)).filter((name) => name.endsWith('.in.yaml'));
}

test.each(inputsOf('translate'))('Envoy takes the export of the golden table %s', (name) => {
  const facts = parse(readFileSync(join('test/golden/translate', name), 'utf8')) as RoutesFacts[];
  const admin = { host: '127.0.0.1', port: 9901 };
  const exported = exportEnvoy(table(...facts.map(serviceRoutes)), { admin, accessLog: true });
  expect(validate(exported)).toBe("configuration 'FILE' OK");
});

test.each(inputsOf('bootstrap'))('Envoy takes the golden bootstrap %s', (name) => {
  const options = parse(readFileSync(join('test/golden/bootstrap', name), 'utf8')) as BootstrapOptions;
  expect(validate(bootstrap(options))).toBe("configuration 'FILE' OK");
});

/** A service as a controller would publish it in the midst of a rollout, with a held tenant. */
function routesOf(spec: VersionedService): ServiceRoutes {
  const facts: RoutesFacts = {
    versions: { v1: {}, v2: { takesCopies: true }, v3: { access: 'Preview' } },
    defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight: 10, salt: `${spec.name}-v2-7` },
    holds: spec.tenantKey === undefined ? {} : { 'a "tenant" with 100%': 'v1' },
  };
  const { name: service, listeners, pin, upstream, traffic } = spec;
  const { tenantKey: _, ...rest } = serviceRoutes(facts);
  const tenantKey = spec.tenantKey === undefined ? {} : { tenantKey: spec.tenantKey };
  const { cohort, mirror, retries } = traffic;
  const version = versionName('v2');
  return {
    ...rest,
    service,
    listeners,
    pin,
    ...tenantKey,
    upstream,
    retries,
    ...(cohort && { cohort: { ...cohort, version } }),
    ...(mirror && { mirror: { ...mirror, version } }),
  };
}

test('Envoy takes whatever a valid spec may ask for', () => {
  const admin = { host: '127.0.0.1', port: 9901 };
  fc.assert(
    fc.property(anySpec, (spec) => {
      const exported = exportEnvoy(table(routesOf(spec)), { admin, accessLog: false });
      expect(validate(exported)).toBe("configuration 'FILE' OK");
    }),
    { seed: seed(), numRuns: full() ? 500 : 40 },
  );
});

test('Envoy refuses what is wrong: the validation sees faults', () => {
  const admin = { host: '127.0.0.1', port: 9901 };
  const exported = exportEnvoy(table(serviceRoutes()), { admin, accessLog: false });
  expect(validate({ ...exported, static_resources: { clusters: [{ name: '' }] } })).toContain('error');
});
