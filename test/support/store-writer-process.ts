/** Starts the writer process and follows which commits it was told are done. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./store-writer.ts', import.meta.url));

/** What the writer says of a commit that was refused. */
export interface Refusal {
  readonly name: string;
  readonly message: string;
  /** What its store holds after the refusal. */
  readonly generation: number;
}

export class StoreWriter {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  #errors = '';
  #last = 0;
  #refusal: Refusal | undefined;
  #changed = Promise.withResolvers<void>();

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#process = child;
    this.#exited = once(child, 'close').then(() => this.#wake());
    child.stderr.on('data', (text) => {
      this.#errors += String(text);
    });
    createInterface(child.stdout).on('line', (line) => this.#read(line));
  }

  /** Runs the writer, below `wrapper` where one is given. It is killed when the test ends. */
  static async start(options: {
    file: string;
    size?: number;
    wrapper?: readonly string[];
  }): Promise<StoreWriter> {
    const command = [
      ...(options.wrapper ?? []),
      process.execPath,
      SCRIPT,
      options.file,
      String(options.size ?? 100),
    ];
    const [program = '', ...rest] = command;
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    const writer = new StoreWriter(child);
    onTestFinished(() => writer.kill());
    await once(child, 'spawn');
    return writer;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** The newest commit that it was told is done. */
  get last(): number {
    return this.#last;
  }

  /** Waits for the acknowledgement of commit `number`. */
  async acknowledged(number: number): Promise<void> {
    while (this.#last < number) await this.#next();
  }

  /** Waits for a commit that is refused. */
  async refused(): Promise<Refusal> {
    while (this.#refusal === undefined) await this.#next();
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }

  /** Lets it go on after a refusal. */
  goOn(): void {
    this.#process.stdin.write('go on\n');
  }

  /** Kills it with SIGKILL; when this resolves, all that it wrote has been read. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  #read(line: string): void {
    if (line.startsWith('refused ')) this.#refusal = JSON.parse(line.slice('refused '.length));
    else if (line !== 'open') this.#last = Number(line);
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async #next(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
      throw new Error(`the writer ended early: ${this.#errors}`);
    }
    await this.#changed.promise;
  }
}
