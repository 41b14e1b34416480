/** The machines of a cluster that run Pods, each a test kubelet, with a scheduler that spreads Pods over those that live. */
import type { KubernetesApi } from '../../../../src/adapters/kubernetes/client/api.ts';
import { startOnFreeNumber } from '../kubelet/free-number.ts';
import type { TestKubelet } from '../kubelet/kubelet.ts';
import { startScheduler, type TestScheduler } from '../kubelet/scheduler.ts';

export interface NodesOptions {
  readonly api: KubernetesApi;
  readonly count: number;
  /** Where logs of containers go. */
  readonly folder: string;
}

export class Nodes {
  readonly #all: readonly TestKubelet[];
  readonly #dead = new Set<TestKubelet>();
  #scheduler: TestScheduler | undefined;

  private constructor(all: readonly TestKubelet[]) {
    this.#all = all;
  }

  static async start({ api, count, folder }: NodesOptions): Promise<Nodes> {
    const started: TestKubelet[] = [];
    for (let index = 0; index < count; index += 1) started.push(await startOnFreeNumber({ api, folder }));
    const nodes = new Nodes(started);
    nodes.#scheduler = await startScheduler({ api, nodes: () => nodes.#alive.map(({ name }) => name) });
    return nodes;
  }

  /** kill -9 of the processes of one Pod. */
  kill(pod: string): void {
    this.#of(pod).kill(pod);
  }

  /** The machine of one Pod is gone with all that runs on it; resolves with the names of those Pods. */
  async lose(pod: string): Promise<readonly string[]> {
    const node = this.#of(pod);
    const { pods } = node;
    this.#dead.add(node);
    await node.die();
    return pods;
  }

  async stop(): Promise<void> {
    await this.#scheduler?.stop();
    for (const node of this.#all) await node.stop();
  }

  get #alive(): readonly TestKubelet[] {
    return this.#all.filter((node) => !this.#dead.has(node));
  }

  #of(pod: string): TestKubelet {
    const node = this.#alive.find(({ pods }) => pods.includes(pod));
    if (node === undefined) throw new Error(`no Pod ${pod} runs on any node`);
    return node;
  }
}
