/**
 * What the demo runs: a Kubernetes control plane with a node, three replicas of the controller, two Envoys, a Prometheus that
 * verifies, and the Pods of the example manager. All of it is gone after `close`, whatever happened before.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from '../../scripts/tools.ts';
import { KubernetesApi } from '../../src/adapters/kubernetes/client/api.ts';
import { NAMESPACE } from '../../src/adapters/kubernetes/client/kinds.ts';
import { clientConfig } from '../../test/support/kubernetes/client-config.ts';
import { startCluster } from '../../test/support/kubernetes/cluster.ts';
import { type Entrance, Installation } from '../../test/support/kubernetes/system/installation.ts';
import { SCRAPE_INTERVAL_MS, type Wish } from '../../test/support/kubernetes/system/manager-object.ts';
import { startPrometheus } from '../../test/support/prometheus.ts';

/** Where everything is. */
const SHOP = 'shop';

/** What a command said. */
export interface Said {
  readonly exitCode: number;
  readonly text: string;
}

export class World {
  readonly #undo = new AsyncDisposableStack();
  /** Settles when what was being started last has come to an end, so that `close` meets nothing half started. */
  #starting: Promise<unknown> = Promise.resolve();
  #kubeconfig = '';
  #closing = false;

  /** Starts etcd, the API server and its controller manager, with a namespace in it. */
  startCluster(): Promise<{ readonly api: KubernetesApi; readonly server: string }> {
    return this.#start(async () => {
      const cluster = await startCluster();
      if ('missing' in cluster) throw new Error(cluster.missing);
      this.#undo.defer(() => cluster.stop());
      this.#kubeconfig = cluster.kubeconfig;
      const api = new KubernetesApi(clientConfig(cluster.kubeconfig));
      await api.create(NAMESPACE, {}, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SHOP } });
      return { api, server: cluster.server };
    });
  }

  /** Starts a node and three replicas of the controller. */
  startInstallation(api: KubernetesApi): Promise<Installation> {
    return this.#start(async () => {
      const place = { api, namespace: SHOP, kubeconfig: this.#kubeconfig };
      const installation = await Installation.start(place);
      this.#undo.defer(() => installation.stop());
      return installation;
    });
  }

  /** Starts a Prometheus that scrapes the Envoys; tells its URL. */
  startPrometheus(entrances: readonly Entrance[]): Promise<string> {
    return this.#start(async () => {
      const targets = entrances.map(({ envoy }) => new URL(envoy.admin).host);
      const prometheus = await startPrometheus({
        jobs: [{ job: 'envoy', targets, path: '/stats/prometheus' }],
        scrapeInterval: SCRAPE_INTERVAL_MS,
      });
      this.#undo.defer(() => prometheus.stop());
      return prometheus.url;
    });
  }

  /** Starts something of the installation, which stops it. */
  start<Started>(make: () => Promise<Started>): Promise<Started> {
    return this.#start(make);
  }

  /** Runs kubectl in the namespace. */
  kubectl(...args: readonly string[]): Promise<Said> {
    const tool = findTool('kubectl');
    if (tool.kind === 'missing') return Promise.reject(new Error(tool.why));
    const where = ['--kubeconfig', this.#kubeconfig, '--namespace', SHOP];
    return new Promise((resolve) => {
      execFile(tool.path, [...where, ...args], (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), text: `${stdout}${stderr}` });
      });
    });
  }

  /** Writes the manifest that asks for a version, and tells where it is. */
  manifest(installation: Installation, wish: Wish): string {
    const file = join(installation.folder, `manager-${wish.version}.json`);
    writeFileSync(file, `${JSON.stringify(installation.manifest(wish), null, 2)}\n`);
    return file;
  }

  /** Stops everything that was started. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#starting.catch(() => {});
    await this.#undo.disposeAsync();
  }

  #start<Started>(make: () => Promise<Started>): Promise<Started> {
    if (this.#closing) return Promise.reject(new Error('the demo is being stopped'));
    const starting = make();
    this.#starting = starting;
    return starting;
  }
}
