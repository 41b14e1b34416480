/** Nodes of YAML as every reader of a document takes them: the entries of a mapping, what an alias stands for, and the paths of keys. */
import type { Node, ParsedNode, YAMLMap } from 'yaml';
import { isAlias, isMap, isScalar, Scalar } from 'yaml';
import { type Findings, joinPath } from './findings.ts';
import { describe } from './leaf.ts';
import type { SourceDocument } from './source.ts';

/** What every step of the walk needs. */
export interface Walk {
  readonly document: SourceDocument;
  readonly findings: Findings;
}

/** One key of a mapping with its value. */
export interface Entry {
  readonly keyOffset: number;
  readonly value: Node;
}

/** The keys of a mapping, or undefined with a fault where `node` is none. `meant`: the key that its value may be of. */
export function readEntries(
  node: Node,
  path: string,
  walk: Walk,
  meant?: string,
): ReadonlyMap<string, Entry> | undefined {
  const { findings } = walk;
  if (!isMap(node)) {
    const hint = meant !== undefined && isScalar(node) ? `: write {${meant}: ${describe(node)}}` : '';
    const fault =
      isScalar(node) && node.value === null
        ? 'has no value: write a mapping'
        : `must be a mapping, not ${describe(node)}${hint}`;
    findings.add(path, fault);
    return undefined;
  }
  const entries = new Map<string, Entry>();
  for (const { key, value } of (node as YAMLMap<ParsedNode, ParsedNode | null>).items) {
    if (findings.full) break;
    const keyOffset = key.range[0];
    if (!isScalar(key) || typeof key.value !== 'string') {
      findings.add(
        path,
        `the key ${isScalar(key) ? describe(key) : 'of a mapping'} must be text: quote it`,
        keyOffset,
      );
      continue;
    }
    const first = entries.get(key.value);
    if (first === undefined) entries.set(key.value, { keyOffset, value: value ?? new Scalar(null) });
    else {
      const { line } = walk.document.position(first.keyOffset);
      findings.add(keyPath(path, key.value), `is given twice, first in line ${line}: keep one`, keyOffset);
    }
  }
  return entries;
}

/** What an alias stands for; other nodes stand for themselves. */
export function follow(node: Node, path: string, walk: Walk): Node | undefined {
  if (!isAlias(node)) return node;
  const target = walk.document.aliases.get(node);
  if (target === undefined)
    walk.findings.add(path, `the alias *${node.source} has no anchor &${node.source} before it`);
  return target;
}

/** The path of a key that a user chose; one that is no word is quoted. */
export function keyPath(path: string, key: string): string {
  return joinPath(path, /^[\w-]{1,80}$/.test(key) ? key : `[${JSON.stringify(key.slice(0, 80))}]`);
}

export function offsetOf(node: Node, otherwise: number): number {
  return node.range?.[0] ?? otherwise;
}
