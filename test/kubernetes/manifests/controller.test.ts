// The controller runs as the Deployment says, with the rights of its service account and no others: it leads, keeps its record,
// makes a version with what that references, and lets a service go in order. Nothing is forbidden to it on the way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { CONFIG_MAP, DEPLOYMENT, SECRET } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { VERSIONED_SERVICE } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { runHere } from '../../support/admin/here.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { documentWith } from '../../support/kubernetes/bad-services.ts';
import { applyInstallation } from '../../support/kubernetes/installed.ts';
import { kubeconfigAs } from '../../support/kubernetes/service-account.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';
import { Child } from '../../support/system/child.ts';

interface Installed extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] };
    };
  };
}

/** Starts what the Deployment's container would, with the kubeconfig of its service account, and waits until it is ready. */
async function startController(place: TestNamespace): Promise<{ readonly log: () => string }> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-controller-'));
  const files = { kubeconfig: join(folder, 'kubeconfig'), log: join(folder, 'log') };
  writeFileSync(files.kubeconfig, stringify(await kubeconfigAs(place, 'switchyard-controller')), {
    mode: 0o600,
  });
  const { stdout } = await runHere(['install', '--without-crds', '--namespace', place.namespace]);
  const objects = (parseAllDocuments(stdout) as unknown as { toJS(): Installed }[]).map((each) =>
    each.toJS(),
  );
  const args =
    objects.find(({ kind }) => kind === 'Deployment')?.spec.template.spec.containers[0]?.args ?? [];
  const http = await freePort();
  const here: string[] = [];
  for (const each of args) {
    const address = /^(--[a-z]+-address)=/.exec(each)?.[1];
    const port = address === '--http-address' ? http : await freePort();
    here.push(
      address === undefined
        ? each.replace('$(POD_NAMESPACE)', place.namespace).replace('/var/lib/switchyard', folder)
        : `${address}=127.0.0.1:${port}`,
    );
  }
  const controller = await Child.start({
    name: 'controller',
    command: process.execPath,
    arguments: ['--disable-warning=ExperimentalWarning', 'src/main.ts', ...here],
    logFile: files.log,
    environment: { KUBECONFIG: files.kubeconfig, POD_NAME: 'switchyard-controller-0', POD_IP: '127.0.0.1' },
  });
  onTestFinished(async () => {
    await controller.stop();
    rmSync(folder, { recursive: true });
  });
  await controller.until('readiness', async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok);
  return { log: () => readFileSync(files.log, 'utf8') };
}

/** A version that runs in Pods, with a ConfigMap and a Secret that are copied for it. */
const SERVICE = documentWith({
  runtime: {
    kubernetes: {
      template: {
        spec: {
          containers: [
            {
              name: 'manager',
              image: 'registry.example/manager:${version}',
              ports: [{ name: 'http', containerPort: 9000 }],
              envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'token' } }],
              readinessProbe: { httpGet: { path: '/healthz', port: 'http' } },
            },
          ],
        },
      },
      port: 'http',
    },
  },
});

test('the controller does its work with the rights that it is given', { timeout: 180_000 }, async () => {
  const place = await testNamespace();
  const { api, namespace } = place;
  await applyInstallation(place, { flags: ['--overlay', 'dev', '--replicas', '0'] });
  const named = (name: string) => ({ apiVersion: 'v1', metadata: { name } });
  await api.create(CONFIG_MAP, { namespace }, { ...named('settings'), kind: 'ConfigMap', data: { a: 'b' } });
  await api.create(SECRET, { namespace }, { ...named('token'), kind: 'Secret', stringData: { c: 'd' } });
  const controller = await startController(place);

  await api.create(VERSIONED_SERVICE, { namespace }, SERVICE);
  const ofVersion = async (kind: Kind): Promise<readonly KubernetesObject[]> => {
    const query = { labelSelector: 'switchyard.dev/service=manager' };
    const path = pathOf(kind, { namespace });
    return (await api.json<{ items: KubernetesObject[] }>({ method: 'GET', path, query })).items;
  };
  for (const kind of [DEPLOYMENT, CONFIG_MAP, SECRET]) {
    await eventually(async () => (await ofVersion(kind)).length === 1, { within: 60_000, what: kind.plural });
  }
  const at = { namespace, name: 'manager' };
  await eventually(
    async () => {
      const { status, metadata } = await api.get<
        KubernetesObject & { status?: { observedGeneration?: number } }
      >(VERSIONED_SERVICE, at);
      return status?.observedGeneration === metadata.generation;
    },
    { within: 60_000 },
  );

  await api.delete(VERSIONED_SERVICE, at);
  await eventually(async () => (await ofVersion(DEPLOYMENT)).length === 0, { within: 60_000 });
  expect(controller.log()).not.toMatch(/forbidden|"code":403/i);
});
