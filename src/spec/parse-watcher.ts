/** The two documents on a delegate's box, from text to model: `Watcher` and `WatcherPolicy`. One document a file. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { WatcherPolicySchema, WatcherSchema } from '../gen/switchyard/config/v1/watcher_pb.js';
import type { DocumentProblem } from '../model/problem.ts';
import type { WatcherPolicy, WatcherSettings } from '../model/watcher.ts';
import { walkFaultless } from './parse.ts';
import { readDocuments, type SourceFile } from './source.ts';
import { toWatcherPolicy, toWatcherSettings } from './to-model-watcher.ts';

/** `value` is absent where a problem is an error. */
export interface ParsedDocument<Value> {
  readonly value?: Value;
  readonly problems: readonly DocumentProblem[];
}

export function parseWatcher(source: SourceFile): ParsedDocument<WatcherSettings> {
  return parseOne(source, WatcherSchema, toWatcherSettings);
}

export function parseWatcherPolicy(source: SourceFile): ParsedDocument<WatcherPolicy> {
  return parseOne(source, WatcherPolicySchema, toWatcherPolicy);
}

/** The policy of a customer who wrote none. */
export function defaultWatcherPolicy(): WatcherPolicy {
  const text = 'apiVersion: switchyard.dev/v1alpha1\nkind: WatcherPolicy\n';
  const { value } = parseWatcherPolicy({ file: '', text });
  if (value === undefined) throw new Error('the defaults of a policy are not valid');
  return value;
}

function parseOne<Desc extends DescMessage, Value>(
  source: SourceFile,
  desc: Desc,
  toModel: (message: MessageShape<Desc>) => Value,
): ParsedDocument<Value> {
  const { documents, problems: syntaxProblems } = readDocuments(source);
  const problems = [...syntaxProblems];
  const [document, second] = documents;
  if (document === undefined) return { problems };
  if (second !== undefined) {
    const { line, column } = second.position(second.root.range[0]);
    const message = 'the file holds more than one document: write one';
    problems.push({ severity: 'error', file: source.file, line, column, field: '', message });
  }
  const { message } = walkFaultless(desc, document, problems);
  return message === undefined || problems.length > 0 ? { problems } : { value: toModel(message), problems };
}
