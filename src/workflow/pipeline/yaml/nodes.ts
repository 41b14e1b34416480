/**
 * YAML nodes in, plain values out, each fault with its place. An alias stands for what its anchor holds; how many nodes
 * are read is bounded, so that aliases of aliases cannot fill the memory.
 */
import { isAlias, isMap, isScalar, isSeq, type Node, type ParsedNode, Scalar, type YAMLMap } from 'yaml';
import type { Milliseconds } from '../../../model/instant.ts';
import type { Json } from '../../../model/json.ts';
import { DURATION_RULE, parseDuration } from '../../../spec/duration.ts';
import { Findings, joinPath } from '../../../spec/findings.ts';
import type { SourceDocument } from '../../../spec/source.ts';
import { didYouMean } from '../../../spec/suggest.ts';

/** Nodes that are read of one document, those behind aliases each time anew. */
const MAX_NODES = 20_000;
/** Characters of text that are read of one document, those behind aliases each time anew. */
const MAX_TEXT = 1_048_576;
/** Levels of values that are plain JSON. */
const MAX_VALUE_DEPTH = 32;

/** One key of a mapping with its value. */
interface Entry {
  readonly keyOffset: number;
  readonly value: Node;
}

/** Reads the nodes of one document. */
export class NodeReader {
  readonly findings: Findings;
  readonly #document: SourceDocument;
  #nodes = 0;
  #text = 0;
  #hasToldTooMuch = false;

  constructor(document: SourceDocument) {
    this.#document = document;
    this.findings = new Findings(document);
  }

  /** The fields of a mapping, of which only `known` may be there; undefined with a fault where it is none. */
  fields(node: Node, path: string, known: readonly string[]): Fields | undefined {
    return this.mapping(node, path)?.only(known);
  }

  /** The same, before it is clear which fields may be there. */
  mapping(node: Node, path: string): Fields | undefined {
    const entries = this.#entries(node, path);
    return entries && new Fields(this, path, entries);
  }

  /** A mapping whose keys its author chose. */
  record<T>(
    node: Node,
    path: string,
    read: (value: Node, path: string) => T | undefined,
  ): Readonly<Record<string, T>> | undefined {
    const entries = this.#entries(node, path);
    if (entries === undefined) return undefined;
    const values: [string, T][] = [];
    for (const [key, { keyOffset, value }] of entries) {
      const own = keyPath(path, key);
      this.findings.place(own, keyOffset);
      const followed = this.follow(value, own);
      const element = followed === undefined ? undefined : read(followed, own);
      if (element !== undefined) values.push([key, element]);
    }
    // Not by assignment: a key such as `__proto__` must become an ordinary one.
    return Object.fromEntries(values);
  }

  list<T>(
    node: Node,
    path: string,
    read: (value: Node, path: string) => T | undefined,
  ): readonly T[] | undefined {
    if (!isSeq(node)) {
      const hint = isScalar(node) && node.value !== null ? `: write [${describe(node)}]` : '';
      this.findings.add(path, `must be a list, not ${describe(node)}${hint}`);
      return undefined;
    }
    const elements: T[] = [];
    for (const [index, item] of (node.items as ParsedNode[]).entries()) {
      if (this.findings.full) break;
      const own = `${path}[${index}]`;
      this.findings.place(own, item.range[0]);
      const followed = this.follow(item, own);
      const element = followed === undefined ? undefined : read(followed, own);
      if (element !== undefined) elements.push(element);
    }
    return elements;
  }

  text(node: Node, path: string): string | undefined {
    if (isScalar(node) && typeof node.value === 'string') return node.value;
    const isValue = isScalar(node) && node.value !== null;
    return this.#fault(
      path,
      `must be text, not ${describe(node)}${isValue ? `: quote it, "${sourceOf(node)}"` : ''}`,
    );
  }

  whole(node: Node, path: string): number | undefined {
    if (isScalar(node) && Number.isSafeInteger(node.value)) return node.value as number;
    return this.#fault(path, `${describe(node)} must be a whole number`);
  }

  number(node: Node, path: string): number | undefined {
    if (isScalar(node) && typeof node.value === 'number' && Number.isFinite(node.value)) return node.value;
    return this.#fault(path, `${describe(node)} must be a number`);
  }

  duration(node: Node, path: string): Milliseconds | undefined {
    if (isScalar(node) && typeof node.value === 'number')
      return this.#fault(path, `${describe(node)} has no unit: write ${DURATION_RULE}`);
    const length = isScalar(node) && typeof node.value === 'string' ? parseDuration(node.value) : undefined;
    return length ?? this.#fault(path, `${describe(node)} must be ${DURATION_RULE}`);
  }

  word<Word extends string>(node: Node, path: string, words: readonly Word[]): Word | undefined {
    const value = isScalar(node) ? node.value : undefined;
    const found = words.find((word) => word === value);
    const meant = typeof value === 'string' ? didYouMean(value, words) : '';
    return found ?? this.#fault(path, `${describe(node)} must be one of ${words.join(', ')}${meant}`);
  }

  /** Any value that JSON can say. */
  json(node: Node, path: string, depth = 0): Json | undefined {
    if (depth > MAX_VALUE_DEPTH)
      return this.#fault(path, `is nested more than ${MAX_VALUE_DEPTH} levels deep`);
    if (isMap(node)) return this.record(node, path, (value, own) => this.json(value, own, depth + 1));
    if (isSeq(node)) return this.list(node, path, (value, own) => this.json(value, own, depth + 1));
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    return this.#fault(
      path,
      `${describe(node)} is no value of JSON: write text, a number, true, false or null`,
    );
  }

  /** What an alias stands for; other nodes stand for themselves. Undefined with a fault where too much has been read. */
  follow(node: Node, path: string): Node | undefined {
    const target = isAlias(node) ? this.#document.aliases.get(node) : node;
    if (target === undefined && isAlias(node))
      return this.#fault(path, `the alias *${node.source} has no anchor &${node.source} before it`);
    this.#nodes += 1;
    if (isScalar(target) && typeof target.value === 'string') this.#text += target.value.length;
    return this.#isTooMuch ? this.#tooMuch() : target;
  }

  #tooMuch(): undefined {
    if (this.#hasToldTooMuch) return undefined;
    this.#hasToldTooMuch = true;
    const limits = `at most ${MAX_NODES} with ${MAX_TEXT} characters are read`;
    return this.#fault('', `has too many values, those behind aliases counted each time: ${limits}`);
  }

  get #isTooMuch(): boolean {
    return this.#nodes > MAX_NODES || this.#text > MAX_TEXT;
  }

  #entries(node: Node, path: string): ReadonlyMap<string, Entry> | undefined {
    if (isScalar(node) && node.value === null)
      return this.#fault(path, 'has no value: write a mapping, {} for an empty one');
    if (!isMap(node)) return this.#fault(path, `must be a mapping, not ${describe(node)}`);
    const entries = new Map<string, Entry>();
    for (const { key, value } of (node as YAMLMap<ParsedNode, ParsedNode | null>).items) {
      if (this.findings.full) break;
      const keyOffset = key.range[0];
      if (!isScalar(key) || typeof key.value !== 'string') {
        const what = isScalar(key) ? describe(key) : 'of a mapping';
        this.findings.add(path, `the key ${what} must be text: quote it`, keyOffset);
        continue;
      }
      this.#text += key.value.length;
      const first = entries.get(key.value);
      if (first === undefined) entries.set(key.value, { keyOffset, value: value ?? new Scalar(null) });
      else {
        const { line } = this.#document.position(first.keyOffset);
        this.findings.add(
          keyPath(path, key.value),
          `is given twice, first in line ${line}: keep one`,
          keyOffset,
        );
      }
    }
    return entries;
  }

  #fault(path: string, message: string): undefined {
    this.findings.add(path, message);
    return undefined;
  }
}

/** The fields of one mapping, to be read one by one. */
export class Fields {
  readonly path: string;
  readonly #reader: NodeReader;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(reader: NodeReader, path: string, entries: ReadonlyMap<string, Entry>) {
    this.#reader = reader;
    this.path = path;
    this.#entries = entries;
  }

  /** The fields, with a fault for each that is not `known`. */
  only(known: readonly string[]): this {
    for (const [key, { keyOffset }] of this.#entries) {
      if (known.includes(key)) continue;
      const advice = didYouMean(key, known) || `; known here: ${known.join(', ')}`;
      this.#reader.findings.add(keyPath(this.path, key), `is an unknown field${advice}`, keyOffset);
    }
    return this;
  }

  /** Those of `names` that are given. */
  given(names: readonly string[]): readonly string[] {
    return names.filter((name) => this.#entries.has(name));
  }

  /** A field that must be there; `why` says what to write. */
  required<T>(name: string, why: string, read: (node: Node, path: string) => T | undefined): T | undefined {
    if (!this.#entries.has(name)) this.#reader.findings.add(joinPath(this.path, name), `is required: ${why}`);
    return this.optional(name, read);
  }

  /** A field that may be absent: undefined. */
  optional<T>(name: string, read: (node: Node, path: string) => T | undefined): T | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const own = joinPath(this.path, name);
    // A collection is found at its key: its first element may be lines below.
    const offset = isScalar(entry.value) ? (entry.value.range?.[0] ?? entry.keyOffset) : entry.keyOffset;
    this.#reader.findings.place(own, offset);
    const node = this.#reader.follow(entry.value, own);
    return node === undefined ? undefined : read(node, own);
  }
}

/** A value in the words of a user: text in quotes, long text cut. */
function describe(node: Node): string {
  if (!isScalar(node)) return isSeq(node) ? 'a list' : 'a mapping';
  if (node.value === null) return 'nothing';
  const text = typeof node.value === 'string' ? JSON.stringify(node.value) : sourceOf(node);
  return text.length <= 80 ? text : `${text.slice(0, 76)}...`;
}

function sourceOf(node: Scalar): string {
  return node.source ?? JSON.stringify(node.value);
}

/** The path of a key that a user chose; one that is no word is quoted. */
function keyPath(path: string, key: string): string {
  return joinPath(path, /^[\w-]{1,80}$/.test(key) ? key : `[${JSON.stringify(key.slice(0, 80))}]`);
}
