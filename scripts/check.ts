// All checks (`npm run check`; `npm test` runs setup before), stage by stage; at last the end-to-end tests, and beside them those on
// Kubernetes: both wait more than they work, and the second have a network of their own, so that no port is wanted twice. A
// stage that fails shows its output and the others still run. The last line is `N passed, N failed`, counting each test, and each
// other stage as one; before it stands what failed, then what was not run, and why. With CI=true what was not run has failed.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Count } from './count-reporter.ts';
import { breakingCommand, lastRelease } from './last-release.ts';
import { findTool } from './tools.ts';

interface Stage {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Tests are counted one by one, and all that they write is shown. */
  readonly tests?: true;
}

interface Outcome {
  readonly ok: boolean;
  readonly output: string;
}

const root = resolve(import.meta.dirname, '..');
const vitest = ['run', '--reporter=default', '--reporter=./scripts/count-reporter.ts'];

const first: readonly Stage[] = [
  { name: 'generation', command: ['bash', 'scripts/setup.sh'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'check'] },
  { name: 'dead code', command: ['knip'] },
  { name: 'protos', command: ['buf', 'lint'] },
  { name: 'protos, beside the last release', command: breakingCommand(lastRelease().file) },
  // The table of allowed imports is one of these: test/unit/imports.test.ts.
  { name: 'tests', command: ['vitest', ...vitest, '--project=fast'], tests: true },
];
const endToEnd: readonly Stage[] = [
  { name: 'end-to-end tests', command: ['vitest', ...vitest, '--project=e2e'], tests: true },
];
const kubernetes: readonly Stage[] = [
  {
    name: 'Kubernetes',
    command: ['bash', 'scripts/setup.sh', '--with', 'kubernetes', '--with', 'kubernetes-tools'],
  },
  {
    name: 'tests on Kubernetes',
    command: inNamespace(['vitest', ...vitest, '--project=kubernetes']),
    tests: true,
  },
];

/** The command with a network of its own; as it is where that cannot be had: its tests say so then. */
function inNamespace(command: Stage['command']): Stage['command'] {
  const script = 'scripts/kubernetes/in-namespace.sh';
  const { status } = spawnSync('bash', [script, 'true'], { cwd: root, stdio: 'ignore' });
  return status === 0 ? ['bash', script, ...command] : command;
}

const scratch = mkdtempSync(join(tmpdir(), 'switchyard-check-'));
const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
const environment = {
  ...process.env,
  ...colour,
  PATH: [join(root, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
};

/** Runs a stage's command, with a file for its count. What it writes is kept, or `live` goes to our output at once. */
function run({ command: [program, ...args] }: Stage, countFile: string, live: boolean): Promise<Outcome> {
  return new Promise((done) => {
    const output: Buffer[] = [];
    const stream = live ? 'inherit' : 'pipe';
    const child = spawn(program, args, {
      cwd: root,
      env: { ...environment, SWITCHYARD_COUNT: countFile },
      stdio: ['ignore', stream, stream],
    });
    child.stdout?.on('data', (bytes: Buffer) => output.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => output.push(bytes));
    child.on('error', (error) =>
      done({ ok: false, output: `${program} could not be started: ${error.message}\n` }),
    );
    child.on('close', (code) => done({ ok: code === 0, output: Buffer.concat(output).toString() }));
  });
}

/** What a stage adds to the count. A run of tests that failed has at least one failure, whatever it wrote. */
function counted(stage: Stage, ok: boolean, countFile: string): Count {
  if (!stage.tests) return { passed: ok ? 1 : 0, failed: ok ? [] : [stage.name], notRun: [] };
  const count = readCount(countFile);
  return ok || count.failed.length > 0 ? count : { ...count, failed: [stage.name] };
}

function readCount(countFile: string): Count {
  try {
    return JSON.parse(readFileSync(countFile, 'utf8')) as Count;
  } catch {
    return { passed: 0, failed: [], notRun: [] };
  }
}

// A control plane that was never built here takes minutes: that goes on beside the other stages, whose tests wait a lot.
// Whether it succeeds is the business of the stage that needs it.
const builds = [
  { tool: 'kube-apiserver', script: 'scripts/kubernetes/build.sh' },
  { tool: 'kustomize', script: 'scripts/kubernetes-tools/build.sh' },
] as const;
for (const { tool, script } of builds) {
  if (findTool(tool).kind === 'found') continue;
  spawn('nice', ['-n', '19', 'bash', script], { cwd: root, stdio: 'ignore', detached: true }).unref();
}

const total: Count = { passed: 0, failed: [], notRun: [] };

/** One stage after the other. Beside other stages nothing is shown of one before it has ended. */
async function runAll(stages: readonly Stage[], { beside }: { readonly beside: boolean }): Promise<void> {
  for (const stage of stages) {
    const begun = performance.now();
    const live = stage.tests === true && !beside;
    const countFile = join(scratch, `${stage.name}.json`);
    const title = `${stage.name} ...`;
    if (!beside) process.stdout.write(live ? `${title}\n` : `${title} `);
    const { ok, output } = await run(stage, countFile, live);
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    const verdict = `${ok ? 'ok' : 'FAILED'} (${seconds} s)\n`;
    if (beside && stage.tests) process.stdout.write(output);
    process.stdout.write(beside || live ? `${stage.name}: ${verdict}` : verdict);
    if (!ok && !stage.tests) process.stdout.write(output);
    const count = counted(stage, ok, countFile);
    total.passed += count.passed;
    total.failed.push(...count.failed);
    total.notRun.push(...count.notRun);
  }
}

await runAll(first, { beside: false });
await Promise.all([runAll(endToEnd, { beside: false }), runAll(kubernetes, { beside: true })]);
rmSync(scratch, { recursive: true });

for (const text of total.failed) console.log(`failed: ${text}`);
for (const text of new Set(total.notRun)) console.log(`not run: ${text}`);
const failed = total.failed.length + (process.env['CI'] === 'true' ? total.notRun.length : 0);
console.log(`${total.passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
