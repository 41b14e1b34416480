/** Reads the two documents of a delegate's box: paths enter, models leave, or every fault with its place. */
import { dirname, resolve } from 'node:path';
import type { DocumentProblem } from '../../model/problem.ts';
import type { WatcherPolicy, WatcherSettings } from '../../model/watcher.ts';
import { defaultWatcherPolicy, parseWatcher, parseWatcherPolicy } from '../../spec/parse-watcher.ts';
import { readDocuments } from '../documents.ts';
import { CliError, EXIT } from '../exit.ts';
import { problemLine } from '../problems.ts';

/** Paths in the files count from the folder of the file. Throws CliError. */
export async function readBoxFiles(
  config: string,
): Promise<{ readonly settings: WatcherSettings; readonly policy: WatcherPolicy }> {
  const { value, problems } = parseWatcher(await readOne(config));
  if (value === undefined) throw faulty(config, problems);
  const at = (path: string): string => resolve(dirname(config), path);
  const { policyFile, controller } = value;
  const settings: WatcherSettings = {
    ...value,
    dataFolder: at(value.dataFolder),
    publicKeyFiles: value.publicKeyFiles.map(at),
    controller: { ...controller, ...(controller.caFile !== undefined && { caFile: at(controller.caFile) }) },
  };
  return {
    settings,
    policy: policyFile === undefined ? defaultWatcherPolicy() : await readPolicy(at(policyFile)),
  };
}

async function readPolicy(file: string): Promise<WatcherPolicy> {
  const { value, problems } = parseWatcherPolicy(await readOne(file));
  if (value === undefined) throw faulty(file, problems);
  return value;
}

/** What is wrong with a file of either kind. */
export async function problemsOf(file: string): Promise<readonly DocumentProblem[]> {
  const source = await readOne(file);
  const isSettings = /["']?kind["']?: *["']?Watcher\b(?!Policy)/.test(source.text);
  return (isSettings ? parseWatcher(source) : parseWatcherPolicy(source)).problems;
}

async function readOne(file: string): Promise<{ readonly file: string; readonly text: string }> {
  const [source] = await readDocuments([file], process.stdin);
  if (source === undefined) throw new Error('a file was read as nothing');
  return source;
}

function faulty(file: string, problems: readonly DocumentProblem[]): CliError {
  return new CliError(EXIT.usage, `${file} is not valid`, problems.map(problemLine));
}
