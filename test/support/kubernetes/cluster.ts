/**
 * A real Kubernetes control plane for tests: etcd, kube-apiserver and kube-controller-manager, on free ports, in a folder of
 * its own, in the network namespace that scripts/kubernetes/in-namespace.sh makes. Nothing runs Pods: kubelet.ts does.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { findTool } from '../../../scripts/tools.ts';
import { freePort } from '../free-port.ts';
import { Child } from '../system/child.ts';

/** A node's address, on which the API server is reached by Pods. */
const API_ADDRESS = '10.0.0.1';
const SERVICE_RANGE = '10.96.0.0/16';
const IN_NAMESPACE = 'bash scripts/kubernetes/in-namespace.sh npx vitest run --project=kubernetes';

export interface Cluster {
  /** A kubeconfig of somebody who may do everything. */
  readonly kubeconfig: string;
  /** `https://10.0.0.1:PORT`. */
  readonly server: string;
  readonly etcd: Restartable;
  readonly apiServer: Restartable;
  readonly controllerManager: Restartable;
  /** Stops all of it and removes its folder. */
  stop(): Promise<void>;
}

/** A part that tests take away and bring back. */
export interface Restartable {
  readonly pid: number;
  /** With SIGKILL, as a crash; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it answers again. */
  start(): Promise<void>;
}

type Programs = Readonly<Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager', string>>;

/** The programs, or why there are none. */
function programs(): Programs | { readonly missing: string } {
  const [etcd, apiServer, controllerManager] = (
    ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const
  ).map(findTool);
  for (const tool of [etcd, apiServer, controllerManager]) {
    if (tool?.kind === 'missing') return { missing: tool.why };
  }
  if (process.env['SWITCHYARD_NETWORK_NAMESPACE'] !== '1') {
    return { missing: `it needs a network namespace of its own; run: ${IN_NAMESPACE}` };
  }
  const path = (tool: typeof etcd): string => (tool?.kind === 'found' ? tool.path : '');
  return {
    etcd: path(etcd),
    'kube-apiserver': path(apiServer),
    'kube-controller-manager': path(controllerManager),
  };
}

export interface ClusterOptions {
  /** A node that has not been heard of for so many seconds is not ready, and neither are its Pods. Kubernetes has 40. */
  readonly nodeGrace?: number;
}

/** Starts a control plane and waits until it answers and has its default service account; or says what it lacks. */
export async function startCluster({
  nodeGrace = 8,
}: ClusterOptions = {}): Promise<Cluster | { readonly missing: string }> {
  const paths = programs();
  if ('missing' in paths) return paths;
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-kubernetes-'));
  const file = (name: string): string => join(folder, name);
  const port = { etcd: await freePort(), peers: await freePort(), api: await freePort() };
  const token = randomUUID();
  const keys = generateKeyPairSync('rsa', {
    modulusLength: 2_048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(file('service-account.key'), keys.privateKey, { mode: 0o600 });
  writeFileSync(file('service-account.pub'), keys.publicKey);
  writeFileSync(file('tokens.csv'), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  const server = `https://${API_ADDRESS}:${port.api}`;
  const etcdUrl = `http://127.0.0.1:${port.etcd}`;
  const peerUrl = `http://127.0.0.1:${port.peers}`;

  const etcd = new Part({
    name: 'etcd',
    command: paths.etcd,
    logFile: file('etcd.log'),
    arguments: [
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ],
    isReady: async () => (await fetch(`${etcdUrl}/health`)).ok,
  });
  await etcd.start();

  const authorityFile = file('certificates/apiserver.crt');
  const apiServer = new Part({
    name: 'kube-apiserver',
    command: paths['kube-apiserver'],
    logFile: file('kube-apiserver.log'),
    arguments: [
      `--etcd-servers=${etcdUrl}`,
      `--bind-address=${API_ADDRESS}`,
      `--secure-port=${port.api}`,
      `--cert-dir=${file('certificates')}`,
      `--service-cluster-ip-range=${SERVICE_RANGE}`,
      `--token-auth-file=${file('tokens.csv')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('service-account.pub')}`,
      `--service-account-signing-key-file=${file('service-account.key')}`,
      '--endpoint-reconciler-type=none',
    ],
    isReady: async () => (await getStatus({ server, path: '/readyz', token, authorityFile })) === 200,
  });
  await apiServer.start();

  const kubeconfig = file('admin.kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': authorityFile } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  };
  writeFileSync(kubeconfig, stringify(config), { mode: 0o600 });
  const controllerManager = new Part({
    name: 'kube-controller-manager',
    command: paths['kube-controller-manager'],
    logFile: file('kube-controller-manager.log'),
    arguments: [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--service-account-private-key-file=${file('service-account.key')}`,
      `--root-ca-file=${authorityFile}`,
      '--node-monitor-period=1s',
      `--node-monitor-grace-period=${nodeGrace}s`,
    ],
    isReady: async () =>
      (await getStatus({
        server,
        path: '/api/v1/namespaces/default/serviceaccounts/default',
        token,
        authorityFile,
      })) === 200,
  });
  await controllerManager.start();
  return {
    kubeconfig,
    server,
    etcd,
    apiServer,
    controllerManager,
    async stop() {
      for (const part of [controllerManager, apiServer, etcd]) await part.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface PartOptions {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly logFile: string;
  readonly isReady: () => Promise<boolean>;
}

class Part implements Restartable {
  readonly #options: PartOptions;
  #child: Child | undefined;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get pid(): number {
    if (this.#child?.running !== true) throw new Error(`${this.#options.name} does not run`);
    return this.#child.pid;
  }

  async start(): Promise<void> {
    this.#child = await Child.start(this.#options);
    await this.#child.until('an answer', this.#options.isReady, 120_000);
  }

  async kill(): Promise<void> {
    this.#child?.signal('SIGKILL');
    await this.#child?.ended;
  }
}

function getStatus(ask: {
  readonly server: string;
  readonly path: string;
  readonly token: string;
  readonly authorityFile: string;
}): Promise<number> {
  return new Promise((resolve, reject) => {
    const { server, path, token, authorityFile } = ask;
    request(
      new URL(path, server),
      { ca: readFileSync(authorityFile), headers: { authorization: `Bearer ${token}` }, timeout: 5_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    )
      .on('error', reject)
      .end();
  });
}
