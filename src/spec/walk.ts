/**
 * A YAML node and a message descriptor in, a message of the proto out: every default filled in, every fault added to
 * the findings. The descriptor drives the walk, so a new field of the proto needs an entry in rules.ts and no code
 * here. Where there are faults the message is incomplete and must not be used.
 */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { Node, ParsedNode } from 'yaml';
import { isScalar, isSeq, parseDocument } from 'yaml';
import type { FieldRule } from './field-rule.ts';
import { Findings, joinPath } from './findings.ts';
import { isFreeMapping, readFreeMapping } from './free-mapping.ts';
import { describe, enumWord, isLeafMessage, readLeaf } from './leaf.ts';
import { faultsOfMessage } from './message-rules.ts';
import { type Entry, follow, keyPath, offsetOf, readEntries, type Walk } from './nodes.ts';
import { ruleOf } from './rules.ts';
import type { SourceDocument } from './source.ts';
import { didYouMean } from './suggest.ts';

/** Reads a document as a message of type `desc`. */
export function walkDocument<Desc extends DescMessage>(
  desc: Desc,
  document: SourceDocument,
): { readonly message: MessageShape<Desc> | undefined; readonly findings: Findings } {
  const findings = new Findings(document);
  const message = readMessage(desc, document.root, '', { document, findings });
  return { message: message as MessageShape<Desc> | undefined, findings };
}

function readMessage(desc: DescMessage, node: Node, path: string, walk: Walk): Message | undefined {
  const entries = readEntries(node, path, walk, onlyRequired(desc));
  if (entries === undefined) return undefined;
  const { findings } = walk;
  const names = desc.fields.map(({ jsonName }) => jsonName);
  const unknown = [...entries].filter(([key]) => !names.includes(key));
  for (const [key, { keyOffset }] of unknown) {
    findings.add(keyPath(path, key), unknownField(key, names), keyOffset);
  }

  const values: Record<string, unknown> = {};
  for (const field of desc.fields) {
    const entry = entries.get(field.jsonName);
    const value = entry === undefined ? readAbsent(field, path, walk) : readPresent(field, entry, path, walk);
    if (value === undefined) continue;
    if (field.oneof === undefined) values[field.localName] = value;
    else values[field.oneof.localName] = { case: field.localName, value };
  }
  checkChoices(desc, entries, path, findings);

  const message = create(desc, values);
  const usable = (field: string) => !findings.full && !findings.isBroken(joinPath(path, field));
  // What an unknown field was meant to say could be what a rule misses.
  if (unknown.length > 0) return message;
  for (const fault of faultsOfMessage(message, usable))
    findings.add(joinPath(path, fault.field), fault.message);
  return message;
}

/** The one field that must be given: what a user means who writes its value in place of the mapping. */
function onlyRequired(desc: DescMessage): string | undefined {
  const [field, second] = desc.fields.filter((each) => ruleOf(each).required !== undefined);
  return second === undefined && field?.message === undefined ? field?.jsonName : undefined;
}

function unknownField(key: string, names: readonly string[]): string {
  const known = names.length === 0 ? 'no field is known here' : `known here: ${names.join(', ')}`;
  return `is an unknown field${didYouMean(key, names) || `; ${known}`}`;
}

/** Of a oneof exactly one field must be given; a field around it may have a default that chooses. */
function checkChoices(
  desc: DescMessage,
  entries: ReadonlyMap<string, Entry>,
  path: string,
  findings: Findings,
): void {
  for (const { fields } of desc.oneofs) {
    const names = fields.map(({ jsonName }) => jsonName);
    const given = names.filter((name) => entries.has(name));
    if (given.length === 0) findings.add(path, `needs one of ${names.join(', ')}`);
    if (given.length > 1)
      findings.add(path, `has ${given.join(' and ')}: only one of ${names.join(', ')} may be given`);
  }
}

function readAbsent(field: DescField, path: string, { findings }: Walk): unknown {
  const rule = ruleOf(field);
  if (rule.required !== undefined)
    findings.add(joinPath(path, field.jsonName), `is required: ${rule.required}`);
  return rule.default === undefined ? undefined : readDefault(field, rule.default);
}

/** A default is read as if a user had written it. */
function readDefault(field: DescField, text: string): unknown {
  const { contents } = parseDocument(text);
  if (contents === null) throw new Error(`${field.toString()}: the default is empty`);
  const document: SourceDocument = {
    file: '',
    text,
    root: contents,
    aliases: new Map(),
    position: () => ({ line: 0, column: 0 }),
  };
  const findings = new Findings(document);
  const value = readField(field, contents, field.jsonName, { document, findings });
  const [problem] = findings.problems;
  if (problem !== undefined)
    throw new Error(`${field.toString()}: the default is wrong: ${problem.field} ${problem.message}`);
  return value;
}

function readPresent(field: DescField, { keyOffset, value }: Entry, path: string, walk: Walk): unknown {
  const fieldPath = joinPath(path, field.jsonName);
  // A collection is found at its key: its first element may be lines below.
  walk.findings.place(fieldPath, isScalar(value) ? offsetOf(value, keyOffset) : keyOffset);
  const node = follow(value, fieldPath, walk);
  return node === undefined ? undefined : readField(field, node, fieldPath, walk);
}

function readField(field: DescField, node: Node, path: string, walk: Walk): unknown {
  if (field.fieldKind === 'list') return readList(field, node, path, walk);
  if (field.fieldKind === 'map') return readMap(field, node, path, walk);
  return readSingle(field, node, path, walk);
}

/** A value that is neither list nor map: of a field, of a list's element, of a map's entry. */
function readSingle(field: DescField, node: Node, path: string, walk: Walk): unknown {
  if (isFreeMapping(field)) return readFreeMapping(node, path, walk);
  if (field.message !== undefined && !isLeafMessage(field))
    return readMessage(field.message, node, path, walk);
  const leaf = readLeaf(field, node, ruleOf(field));
  if (leaf.kind === 'value') return leaf.value;
  walk.findings.add(path, leaf.message);
  return undefined;
}

function readList(field: DescField, node: Node, path: string, walk: Walk): unknown {
  const { findings } = walk;
  const rule = ruleOf(field);
  if (!isSeq(node)) {
    const hint = isScalar(node) && node.value !== null ? `: write [${describe(node)}]` : '';
    findings.add(path, `must be a list, not ${describe(node)}${hint}`);
    return undefined;
  }
  if (!checkSize(node.items.length, rule, path, findings)) return undefined;
  const elements: unknown[] = [];
  for (const [index, item] of (node.items as ParsedNode[]).entries()) {
    if (findings.full) return undefined;
    const elementPath = `${path}[${index}]`;
    findings.place(elementPath, item.range[0]);
    const element = follow(item, elementPath, walk);
    elements.push(element === undefined ? undefined : readSingle(field, element, elementPath, walk));
  }
  checkUnique({ field, elements, path, findings });
  return elements.includes(undefined) ? undefined : elements;
}

function readMap(field: DescField, node: Node, path: string, walk: Walk): unknown {
  const rule = ruleOf(field);
  const entries = readEntries(node, path, walk);
  if (entries === undefined || !checkSize(entries.size, rule, path, walk.findings)) return undefined;
  const values: [string, unknown][] = [];
  for (const [key, { keyOffset, value }] of entries) {
    const entryPath = keyPath(path, key);
    walk.findings.place(entryPath, offsetOf(value, keyOffset));
    const wrong = rule.keys?.(key);
    if (wrong !== undefined)
      walk.findings.add(entryPath, `the key ${JSON.stringify(key.slice(0, 80))} ${wrong}`, keyOffset);
    const element = follow(value, entryPath, walk);
    if (element !== undefined) values.push([key, readSingle(field, element, entryPath, walk)]);
  }
  // Not by assignment: a key such as `__proto__` must become an ordinary one.
  return Object.fromEntries(values);
}

function checkSize(size: number, rule: FieldRule, path: string, findings: Findings): boolean {
  if (rule.size === undefined) throw new Error(`src/spec/rules.ts gives no size for ${path}`);
  const [min, max] = rule.size;
  if (size >= min && size <= max) return true;
  findings.add(
    path,
    size < min
      ? `must have at least ${min} element${min === 1 ? '' : 's'}`
      : `has ${size} elements; at most ${max} are allowed`,
  );
  return false;
}

function checkUnique(list: {
  readonly field: DescField;
  readonly elements: readonly unknown[];
  readonly path: string;
  readonly findings: Findings;
}): void {
  const { field: owner, elements, path, findings } = list;
  const { unique } = ruleOf(owner);
  if (unique === undefined) return;
  const first = new Map<unknown, number>();
  for (const [index, element] of elements.entries()) {
    const value = unique === 'name' ? (element as { readonly name?: unknown } | undefined)?.name : element;
    // A broken name is its own fault and reads as empty here.
    if (value === undefined || value === '') continue;
    const earlier = first.get(value);
    if (earlier === undefined) first.set(value, index);
    else {
      const { line } = findings.position(`${path}[${earlier}]`);
      const [field, advice] =
        unique === 'name'
          ? [`${path}[${index}].name`, 'choose another name']
          : [`${path}[${index}]`, 'keep one'];
      findings.add(
        field,
        `${shown(owner, value)} is a duplicate of ${path}[${earlier}] in line ${line}: ${advice}`,
      );
    }
  }
}

/** A value as its user wrote it. */
function shown({ enum: desc }: DescField, value: unknown): string {
  return JSON.stringify(desc === undefined ? value : enumWord(desc, value as number));
}
