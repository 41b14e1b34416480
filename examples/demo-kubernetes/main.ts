/**
 * `npm run demo:kubernetes`: the story of the demo on a real API server, with three replicas of the controller and two Envoys,
 * under traffic that is judged answer by answer. `-- --report FILE` writes the report as JSON. The exit status is 1 when
 * anything was failed, misrouted, cut or moved wrongly, when a rollout did not end as it should, or when something that it
 * needs cannot be had here.
 */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { findTool, type ToolName } from '../../scripts/tools.ts';
import { untilInterrupted } from '../demo/interrupted.ts';
import { Screen } from '../demo/screen.ts';

const USAGE = 'usage: npm run demo:kubernetes -- [--report FILE]';
const NEEDED: readonly ToolName[] = [
  'envoy',
  'prometheus',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
];
const IN_NAMESPACE = join(import.meta.dirname, '..', '..', 'scripts', 'kubernetes', 'in-namespace.sh');

/** What is missing here, and how it may be had; undefined: nothing. */
function missing(): string | undefined {
  for (const name of NEEDED) {
    const tool = findTool(name);
    if (tool.kind === 'missing') return `the demo needs a real ${name}: ${tool.why}`;
  }
  const { status, stderr } = spawnSync('bash', [IN_NAMESPACE, 'true'], { encoding: 'utf8' });
  if (status === 0) return undefined;
  return (
    `the demo needs a network namespace of its own, and cannot make one: ${stderr.trim()}\n` +
    'run it as root, or allow user namespaces: sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000'
  );
}

/** Runs this program once more, in a network namespace; gives its exit status. */
async function runInNamespace(): Promise<number> {
  const args = [IN_NAMESPACE, process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const child = spawn('bash', args, { stdio: 'inherit' });
  // A terminal tells the child too, which cleans up; others tell us only.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

async function run(reportFile: string | undefined): Promise<number> {
  const interrupted = untilInterrupted();
  interrupted.catch(() => {});
  // What only the demo itself needs is loaded now: whoever lacks something is told at once.
  const { complaints, reportLines } = await import('./report.ts');
  const { play } = await import('./story.ts');
  const { World } = await import('./world.ts');
  const screen = new Screen();
  const world = new World();
  try {
    const report = await Promise.race([play({ world, screen }), interrupted]);
    screen.print(['', ...reportLines(report), '']);
    if (reportFile !== undefined) writeFileSync(reportFile, `${JSON.stringify(report, null, 2)}\n`);
    const wrong = complaints(report);
    for (const line of wrong) console.error(`wrong: ${line}`);
    return wrong.length === 0 ? 0 : 1;
  } catch (error) {
    screen.end();
    console.error(`\nthe demo broke off: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    await world.close();
  }
}

async function main(): Promise<number> {
  let reportFile: string | undefined;
  try {
    reportFile = parseArgs({ options: { report: { type: 'string' } } }).values.report;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (process.env['SWITCHYARD_NETWORK_NAMESPACE'] === '1') return run(reportFile);
  const why = missing();
  if (why === undefined) return runInNamespace();
  console.error(why);
  return 1;
}

// Clients of a broken demo may still hold sockets; nothing may keep the process from ending.
process.exit(await main());
