/**
 * The kubelet's streaming server: what an API server passes a port-forward on to. It is a program of its own, since it is the code
 * that real kubelets answer with (test/kubelet-streams); here it is told which Pod has which address.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { goProgram } from '../../go-program.ts';
import { Child } from '../../system/child.ts';

/** Where kubelets listen. */
const PORT = 10_250;

export class KubeletStreams {
  readonly port = PORT;
  readonly #child: Child;
  readonly #pods: string;

  private constructor(child: Child, pods: string) {
    this.#child = child;
    this.#pods = pods;
  }

  /** Serves at a node's address; `folder` is for its log and for what it is told. */
  static async start(address: string, folder: string): Promise<KubeletStreams> {
    const program = await goProgram('port-forwards to Pods', {
      name: 'kubelet-streams',
      module: 'test/kubelet-streams',
      package: '.',
    });
    const pods = join(folder, `pods-${address}`);
    mkdirSync(pods, { recursive: true });
    const child = await Child.start({
      name: 'kubelet-streams',
      command: program,
      arguments: [`${address}:${PORT}`, pods],
      logFile: join(folder, `kubelet-streams-${address}.log`),
    });
    await child.until('an open port', () => isOpen(address));
    return new KubeletStreams(child, pods);
  }

  /** `key` is `namespace/name`. */
  add(key: string, address: string): void {
    writeFileSync(this.#file(key), address);
  }

  remove(key: string): void {
    rmSync(this.#file(key), { force: true });
  }

  /** With all streams, as a machine's end would. */
  async stop(): Promise<void> {
    this.#child.signal('SIGKILL');
    await this.#child.ended;
  }

  #file(key: string): string {
    return join(this.#pods, key.replace('/', '_'));
  }
}

function isOpen(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: PORT }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
