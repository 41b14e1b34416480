/** The demo on Kubernetes where it cannot be run: it says what is missing, and ends with a status that is not 0. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execPath } from 'node:process';
import { expect, it, onTestFinished } from 'vitest';

const DEMO = join(import.meta.dirname, '../../../examples/demo-kubernetes/main.ts');
/** Programs that are there: nothing is started that would show that they are none of these. */
const TOOLS = Object.fromEntries(
  ['ENVOY', 'PROMETHEUS', 'ETCD', 'KUBE_APISERVER', 'KUBE_CONTROLLER_MANAGER', 'KUBECTL'].map((name) => [
    `${name}_BIN`,
    execPath,
  ]),
);

function demo(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const env = { ...process.env, ...TOOLS, SWITCHYARD_NETWORK_NAMESPACE: '', ...environment };
  return spawnSync(execPath, [DEMO, ...args], { encoding: 'utf8', env });
}

it('names a program that is missing, and what brings it', () => {
  const { status, stderr } = demo({ KUBE_APISERVER_BIN: '/nowhere/kube-apiserver' });
  expect(stderr).toContain(
    'the demo needs a real kube-apiserver: KUBE_APISERVER_BIN=/nowhere/kube-apiserver',
  );
  expect(status).toBe(1);
});

it('says that it needs a network namespace, where none can be made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-demo-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const unshare = join(folder, 'unshare');
  writeFileSync(unshare, '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n');
  chmodSync(unshare, 0o755);
  const { status, stderr } = demo({ PATH: [folder, process.env['PATH']].join(delimiter) });
  expect(stderr).toMatch(/network namespace of its own, and cannot make one: .*Operation not permitted/);
  expect(stderr).toContain('user namespaces');
  expect(status).toBe(1);
});

it('refuses what it does not know', () => {
  const { status, stderr } = demo({}, '--fast');
  expect(stderr).toContain('usage: npm run demo:kubernetes -- [--report FILE]');
  expect(status).toBe(2);
});
