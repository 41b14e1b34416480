/** `watcher status|retry|upgrade|check-policy`: talks to the watcher of this machine over its Unix socket. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { BoxVersion } from '../../model/goal-state.ts';
import { isoTime } from '../../model/instant.ts';
import type { WatcherStatus } from '../../model/watcher.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { isForMachines, printData } from '../output.ts';
import { problemLine } from '../problems.ts';
import { type Context, note, print } from '../shell.ts';
import { tableLines } from '../table.ts';
import { problemsOf, readBoxFiles } from './watcher-files.ts';

/** Which watcher is meant: the one that runs by this file. */
export interface WatcherChoice {
  readonly config: string;
}

/** Exit code 1 where something on the box is not as it should be, or the watcher does not run. */
export async function watcherStatus(context: Context, { config }: WatcherChoice): Promise<ExitCode> {
  const folder = await folderOf(config);
  const live = await call({ folder, method: 'GET', path: '/status' }).catch(() => undefined);
  const status = (live ?? (await lastStatus(folder))) as WatcherStatus;
  if (live === undefined) {
    note(
      context,
      `the watcher does not run; this is what it said last, at ${isoTime(status.at)}. Its delegates may run on`,
    );
  }
  if (isForMachines(context)) await printData(context, status);
  else show(context, status);
  const isWell = status.report.refusal === '' && status.report.versions.every(({ state }) => GOOD.has(state));
  return live !== undefined && isWell ? EXIT.ok : EXIT.failed;
}

export async function watcherRetry(
  context: Context,
  { config, version }: WatcherChoice & { readonly version?: string },
): Promise<ExitCode> {
  const query = version === undefined ? '' : `?version=${encodeURIComponent(version)}`;
  const { versions } = (await call({
    folder: await folderOf(config),
    method: 'POST',
    path: `/retry${query}`,
  })) as {
    versions: readonly string[];
  };
  if (versions.length === 0)
    throw new CliError(
      EXIT.failed,
      `there is nothing to try again${version === undefined ? '' : ` of ${version}`}`,
    );
  print(context, `tries again: ${versions.join(', ')}`);
  return EXIT.ok;
}

export async function watcherUpgrade(
  context: Context,
  { config, manifest, again }: WatcherChoice & { readonly manifest: string; readonly again?: boolean },
): Promise<ExitCode> {
  const body = await readFile(manifest, 'utf8').catch((error: Error) => {
    throw new CliError(EXIT.usage, `cannot read ${manifest}: ${error.message}`);
  });
  const { message } = (await call({
    folder: await folderOf(config),
    method: 'POST',
    path: again === true ? '/upgrade?again=true' : '/upgrade',
    body,
  })) as {
    message: string;
  };
  print(context, message);
  return EXIT.ok;
}

export async function checkPolicy(context: Context, { file }: { readonly file: string }): Promise<ExitCode> {
  const problems = await problemsOf(file);
  for (const problem of problems) print(context, problemLine(problem));
  if (problems.length === 0) print(context, `${file} is valid`);
  return problems.length === 0 ? EXIT.ok : EXIT.usage;
}

const GOOD: ReadonlySet<BoxVersion['state']> = new Set([
  'Ready',
  'Draining',
  'Starting',
  'Fetching',
  'Switching',
  'WaitingForWindow',
]);

function show(context: Context, { identity, report, link, answer, slot, badReleases }: WatcherStatus): void {
  const way = link.kind === 'Connected' ? `connected by ${link.way.toLowerCase()}` : `away: ${link.reason}`;
  const lines = [
    [
      'Box',
      `${identity.id} of ${identity.tenant}, group ${identity.group}, at most ${identity.maxVersions} versions of ${identity.service}`,
    ],
    ['Watcher', `${identity.release}, slot ${slot}`],
    ['Controller', `${way}, since ${isoTime(link.since)}${answer === '' ? '' : `; ${answer}`}`],
    ['Goal state', `generation ${report.applied}, newest seen ${report.seen}`],
    ...(report.refusal === '' ? [] : [['Refused', report.refusal]]),
    ...(report.windowOpens === undefined
      ? []
      : [['Window', `closed, opens at ${isoTime(report.windowOpens)}`]]),
    ['Disk free', `${Math.floor(report.diskFree / 1024 / 1024)} MiB`],
    ...badReleases.map((bad) => ['Bad release', bad]),
  ];
  for (const [name = '', value = ''] of lines) print(context, `${`${name}:`.padEnd(13)}${value}`);
  print(context, '');
  if (report.versions.length === 0) print(context, 'no versions');
  else print(context, tableLines(COLUMNS, report.versions, { wide: true }).join('\n'));
}

const COLUMNS = [
  { heading: 'VERSION', text: ({ version }: BoxVersion) => version },
  { heading: 'STATE', text: ({ state }: BoxVersion) => state },
  { heading: 'SINCE', text: ({ since }: BoxVersion) => isoTime(since) },
  {
    heading: 'OPEN',
    text: ({ openTasks }: BoxVersion) => (openTasks === undefined ? '?' : String(openTasks)),
  },
  { heading: 'RESTARTS', text: ({ restarts }: BoxVersion) => String(restarts) },
  { heading: 'REASON', text: ({ reason }: BoxVersion) => reason },
];

async function folderOf(config: string): Promise<string> {
  return (await readBoxFiles(config)).settings.dataFolder;
}

async function lastStatus(folder: string): Promise<unknown> {
  const path = join(folder, 'status.json');
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `no watcher runs with the data folder ${folder}, and none has said anything there`,
      [(error as Error).message],
    );
  }
}

/** Throws CliError where no watcher answers, or where it refuses. */
async function call(to: { folder: string; method: string; path: string; body?: string }): Promise<unknown> {
  const { folder, method, path, body } = to;
  const socketPath = join(folder, 'watcher.sock');
  const { code, answer } = await new Promise<{ code: number; answer: string }>((resolve, reject) => {
    request({ socketPath, method, path })
      .on('response', (response) => {
        void text(response).then((said) => resolve({ code: response.statusCode ?? 0, answer: said }), reject);
      })
      .on('error', reject)
      .end(body);
  }).catch((error: Error) => {
    throw new CliError(EXIT.failed, `no watcher answers at ${socketPath}`, [error.message]);
  });
  const read = JSON.parse(answer) as { message?: string };
  if (code !== 200) throw new CliError(code === 400 ? EXIT.usage : EXIT.failed, read.message ?? answer);
  return read;
}
