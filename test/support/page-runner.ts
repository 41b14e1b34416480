/**
 * Runs the commands of a page of docs/ as a reader would: every `sh` block of it, one after the other, in one shell in a
 * folder of its own. A `text` block after one is what the reader is promised to see, line by line, where `…` stands for
 * anything. A block that begins with the words `sh refused` must fail.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { findTool } from '../../scripts/tools.ts';
import { freePort } from './free-port.ts';
import { notRun } from './not-run.ts';
import { freePortRange } from './system/ports.ts';

export interface Block {
  /** `docs/tasks/first-flip.md:12`. */
  readonly place: string;
  readonly commands: string;
  readonly isRefused: boolean;
  /** Lines that must come in this order, perhaps with others between them. */
  readonly promised: readonly string[];
}

const ROOT = resolve(import.meta.dirname, '../..');
const END = '--- end of block';
const PATIENCE_MS = 90_000;
/** Ports of pages, beside the two of instances that come from a range. */
const PORTS = ['10000', '18000', '18002', '9001', '9002', '9901'];
const RANGE = { from: 9100, to: 9199 };

/** The blocks of a page. */
export function blocksOf(page: string): readonly Block[] {
  const lines = readFileSync(page, 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const kind = /^```(sh|sh refused|text)$/.exec(lines[at] ?? '')?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf('```', at);
    if (end < 0) throw new Error(`${page}:${at + 1}: the block does not end`);
    const content = lines.slice(at + 1, end);
    const before = blocks.at(-1);
    if (kind !== 'text') {
      const isRefused = kind === 'sh refused';
      blocks.push({ place: `${page}:${at + 1}`, commands: content.join('\n'), isRefused, promised: [] });
    } else if (before !== undefined) blocks.splice(-1, 1, { ...before, promised: content });
    at = end;
  }
  return blocks;
}

/** What is promised and did not come. */
export function missingLines(promised: readonly string[], output: string): readonly string[] {
  const came = output.split('\n').map(squeezed);
  let from = 0;
  return promised.filter((line) => {
    const parts = squeezed(line).split('…').map(escaped);
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    const found = came.findIndex((each, index) => index >= from && pattern.test(each));
    if (found >= 0) from = found + 1;
    return found < 0;
  });
}

const squeezed = (line: string): string => line.trim().replaceAll(/\s+/g, ' ');
const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Runs all blocks of a page, and gives their number. Throws with place and output of the first that does not do as it says. */
export async function runPage(page: string): Promise<number> {
  const reader = await Reader.begin();
  try {
    const blocks = blocksOf(page);
    for (const block of blocks) await reader.run(block);
    return blocks.length;
  } finally {
    await reader.end();
  }
}

class Reader {
  readonly #folder: string;
  readonly #shell: ChildProcess;
  readonly #ports: ReadonlyMap<string, string>;
  #output = '';
  #ended: ((status: string) => void) | undefined;

  private constructor(folder: string, shell: ChildProcess, ports: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.#shell = shell;
    this.#ports = ports;
    createInterface({ input: shell.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith(END)) this.#ended?.(line.slice(END.length).trim());
      else this.#output += `${line}\n`;
    });
    shell.once('exit', (code, signal) => this.#ended?.(`the shell ended with ${signal ?? code}`));
  }

  static async begin(): Promise<Reader> {
    const envoy = findTool('envoy');
    if (envoy.kind === 'missing') return notRun('the commands of the pages', envoy.why);
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-page-'));
    symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
    const shell = spawn('bash', ['--norc'], {
      cwd: folder,
      // A group of its own, so that all that a page starts ends with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        PATH: [join(ROOT, 'bin'), dirname(envoy.path), process.env['PATH']].join(delimiter),
        HOME: folder,
        XDG_STATE_HOME: join(folder, 'state'),
        NO_COLOR: '1',
      },
    });
    const reader = new Reader(folder, shell, await portsOfHere());
    // Where a command of a block fails, its text is kept.
    reader.#write(`exec 2>&1; trap 'failed=$BASH_COMMAND' ERR`);
    // A run that is killed cannot end what a page has started.
    reader.#write(
      `( while kill -0 ${process.pid} 2>/dev/null; do sleep 1; done; kill -KILL -- -$$ ) > /dev/null 2>&1 &`,
    );
    return reader;
  }

  async run({ place, commands, isRefused, promised }: Block): Promise<void> {
    this.#output = '';
    const ended = new Promise<string>((done) => {
      const late = setTimeout(done, PATIENCE_MS, `after ${PATIENCE_MS / 1000} s it has not ended, and so it`);
      this.#ended = (status) => {
        clearTimeout(late);
        done(status);
      };
    });
    this.#write(`failed=\n${this.#here(commands)}\nprintf '\\n${END} %s\\n' "$failed"`);
    const failed = await ended;
    const told = `${place}: ${commands}\n${this.#output}`;
    if (isRefused !== (failed !== '')) throw new Error(`${told}\n${failed || 'nothing'} failed`);
    const missing = missingLines(
      promised.map((line) => this.#here(line)),
      this.#output,
    );
    if (missing.length > 0) throw new Error(`${told}\ndid not show: ${missing.join('\n')}`);
  }

  async end(): Promise<void> {
    const isOver = this.#shell.exitCode !== null || this.#shell.signalCode !== null;
    // Instances outlive their controller, so the page's must be stopped by it.
    if (!isOver)
      await this.run({
        place: 'the end',
        commands: 'switchyard down --yes || true',
        isRefused: false,
        promised: [],
      }).catch(() => undefined);
    const exit = once(this.#shell, 'exit');
    if (this.#shell.pid !== undefined) process.kill(-this.#shell.pid, 'SIGKILL');
    if (!isOver) await exit;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #write(text: string): void {
    this.#shell.stdin?.write(`${text}\n`);
  }

  /** With ports that are free here. */
  #here(text: string): string {
    return text.replaceAll(/\b\d{4,5}\b/g, (number) => this.#ports.get(number) ?? number);
  }
}

async function portsOfHere(): Promise<ReadonlyMap<string, string>> {
  const ports = new Map<string, string>();
  for (const port of PORTS) ports.set(port, String(await freePort()));
  const first = await freePortRange(RANGE.to - RANGE.from + 1);
  ports.set(String(RANGE.from), String(first));
  ports.set(String(RANGE.to), String(first + RANGE.to - RANGE.from));
  return ports;
}
