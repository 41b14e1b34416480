/** Versions of the example manager that a test runs itself, as processes: the other side of the `endpoints` runtime. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import { freePort } from '../free-port.ts';
import { Child } from './child.ts';

const MANAGER = join(import.meta.dirname, '..', '..', '..', 'examples', 'manager', 'main.ts');

export class RunningVersions {
  readonly #folder: string;
  readonly #running = new Map<
    string,
    { readonly ports: readonly number[]; readonly children: readonly Child[] }
  >();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts instances of a version that does not run. Resolves when all of them take requests. */
  async start(version: string, instances: number): Promise<void> {
    if (this.#running.has(version)) throw new Error(`${version} runs already`);
    const ports: number[] = [];
    const children: Child[] = [];
    this.#running.set(version, { ports, children });
    for (let index = 0; index < instances; index += 1) {
      const port = await freePort();
      const child = await Child.start({
        name: `instance ${index} of ${version}`,
        command: execPath,
        arguments: [MANAGER, '--version', version, '--port', String(port), '--grace', '0'],
        logFile: join(this.#folder, 'versions.log'),
      });
      ports.push(port);
      children.push(child);
    }
    await Promise.all(
      children.map((child, index) =>
        child.until('an answer', async () => (await fetch(`http://127.0.0.1:${ports[index]}/healthz`)).ok),
      ),
    );
  }

  /** The entries of a spec's `runtime.endpoints.versions`. */
  listing(): string[] {
    return [...this.#running].map(
      ([name, { ports }]) =>
        `{ name: ${name}, addresses: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}] }`,
    );
  }

  async stop(version: string): Promise<void> {
    const running = this.#running.get(version);
    this.#running.delete(version);
    await Promise.all((running?.children ?? []).map((child) => child.stop()));
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((version) => this.stop(version)));
  }
}
