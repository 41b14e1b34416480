/** Command line and controller are one release apart, either way: each command that both know works, and the others say why not. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { unpackLastRelease } from '../../support/last-release.ts';
import { sample } from '../../support/seed.ts';
import { ControllerProcess, type Program, THIS_RELEASE } from '../../support/system/controller.ts';

const last = unpackLastRelease();
const LONG = 300_000;

interface Ran {
  readonly exitCode: number;
  readonly text: string;
}

/** A controller of one release, and the command line of the other. */
class Pair {
  readonly folder = mkdtempSync(join(tmpdir(), 'switchyard-neighbours-'));
  #controller: ControllerProcess | undefined;
  readonly #commandLine: Program;
  readonly #program: Program;
  #port = 0;

  constructor(programs: { readonly controller: Program; readonly commandLine: Program }) {
    this.#program = programs.controller;
    this.#commandLine = programs.commandLine;
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    this.#controller = await ControllerProcess.in(this.folder, this.#program);
    await this.#controller.start([]);
  }

  async stop(): Promise<void> {
    await this.#controller?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  run(...args: readonly string[]): Promise<Ran> {
    const { command, arguments: first } = this.#commandLine;
    const env = { ...process.env, SWITCHYARD_SERVER: this.#controller?.server ?? '', NO_COLOR: '1' };
    return new Promise((resolve) => {
      execFile(command, [...first, ...args], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), text: `${stdout}${stderr}` });
      });
    });
  }

  /** A command that must succeed. */
  async ok(...args: readonly string[]): Promise<string> {
    const { exitCode, text } = await this.run(...args);
    if (exitCode !== 0) throw new Error(`${args.join(' ')} exited with ${exitCode}: ${text}`);
    return text;
  }

  document(version: string): string {
    const file = join(this.folder, `${version}.yaml`);
    const versions = ['v1', 'v2'].map((name, index) => ({ name, addresses: [`127.0.0.1:${index + 1}`] }));
    const spec = {
      version,
      listeners: [{ name: 'gateway', port: this.#port, domains: ['*'] }],
      pin: { allow: { everywhere: true } },
      tenantKey: { header: 'x-tenant-id', allow: { everywhere: true } },
      runtime: { endpoints: { versions } },
    };
    const head = {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'VersionedService',
      metadata: { name: 'manager' },
    };
    writeFileSync(file, JSON.stringify({ ...head, spec }));
    return file;
  }
}

const PAIRS = [
  { name: 'this command line and the last controller', controller: last.program, commandLine: THIS_RELEASE },
  { name: 'the last command line and this controller', controller: THIS_RELEASE, commandLine: last.program },
];

// One of them in each run, drawn by the seed.
describe.each(sample(PAIRS, 1))('$name', ({ controller, commandLine }) => {
  const pair = new Pair({ controller, commandLine });
  beforeAll(() => pair.start(), LONG);
  afterAll(() => pair.stop());

  test('work together in every command that both know', { timeout: LONG }, async () => {
    const [mine, theirs] = await Promise.all(
      [commandLine, controller].map(
        async ({ command }) =>
          new Promise<string>((resolve) => {
            execFile(command, ['--version'], (_, stdout) => resolve(stdout.trim()));
          }),
      ),
    );
    expect(await pair.ok('version')).toMatch(new RegExp(`client +${mine}\\ncontroller +${theirs}`));
    await pair.ok('apply', '-f', pair.document('v1'));
    await eventually(async () => (await pair.ok('get', 'services')).includes('v1'), { within: 30_000 });
    expect(await pair.ok('apply', '-f', pair.document('v2'), '--dry-run')).toMatch(/spec\.version|version/);
    await pair.ok('apply', '-f', pair.document('v2'));
    await eventually(async () => /v2 +Standby/.test(await pair.ok('get', 'versions', 'manager')), {
      what: 'v2 standing by',
      within: 30_000,
    });
    // What changes nothing is asked at once: each command is a process.
    const [spec, tree, explained] = await Promise.all([
      pair.ok('get', 'spec', 'manager'),
      pair.ok('describe', 'manager'),
      pair.ok('explain', '--host=manager.example', '--path=/', '-H', 'x-delegate-version: v2'),
      ...['proxies', 'events', 'holds', 'table'].map((what) => pair.ok('get', what)),
      pair.ok('export', 'envoy'),
      pair.ok('backup', join(pair.folder, 'backup.db')),
    ]);
    expect(spec).toMatch(/v2/);
    expect(tree).toMatch(/v1.*\n[^]*v2/);
    expect(explained).toMatch(/v2/);
    expect(await pair.ok('set-weight', 'manager', 'v2', '30', '--reason=test')).toMatch(/30%/);
    expect(await pair.ok('flip', 'manager', 'v2', '--reason=test')).toMatch(/all default traffic to v2/);
    expect(await pair.ok('rollback', 'manager', '--reason=test')).toMatch(/back to v1/);
    await pair.ok('flip', 'manager', 'v2', '--reason=test');
    expect(await pair.ok('status', 'manager', '--timeout=30s')).toMatch(/manager/);
    await pair.ok('hold', 'manager', 'acme', 'v1', '--for=1h', '--reason=test');
    expect(await pair.ok('get', 'holds', 'manager')).toMatch(/acme/);
    await pair.ok('release', 'manager', 'acme', '--reason=test');
    await pair.ok('drain', 'manager', 'v1', '--give-up-rollback', '--reason=test');
    await pair.ok('retire', 'manager', 'v1', '--yes', '--waive-open-work', '--reason=test');
    expect(await pair.ok('delete', 'service', 'manager', '--yes', '--reason=test')).toMatch(/deleted/);
  });
});

test('a command that the last controller does not know says so, and what to do', {
  timeout: LONG,
}, async () => {
  const pair = new Pair({ controller: last.program, commandLine: THIS_RELEASE });
  await pair.start();
  try {
    for (const command of [
      ['get', 'rollouts'],
      ['pause', 'manager', '--reason=test'],
      ['get', 'delegates', 'manager'],
    ]) {
      expect(await pair.run(...command)).toEqual({
        exitCode: 1,
        text: expect.stringMatching(
          new RegExp(
            `the controller at unix:.* is of release ${last.version.replaceAll('.', '\\.')}, which does not know this command; nothing was changed\\n +upgrade the controller`,
          ),
        ) as string,
      });
    }
  } finally {
    await pair.stop();
  }
});
