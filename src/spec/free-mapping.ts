/**
 * A mapping whose fields are not ours to know: the Pod template, which Kubernetes checks. It is read as JSON would be, with
 * the place of every value, so that what is found in it has its line. An empty value is left out, as Kubernetes does.
 */
import type { DescField } from '@bufbuild/protobuf';
import { StructSchema } from '@bufbuild/protobuf/wkt';
import type { Node, ParsedNode } from 'yaml';
import { isMap, isScalar, isSeq } from 'yaml';
import type { Json } from '../model/json.ts';
import { describe } from './leaf.ts';
import { follow, keyPath, offsetOf, readEntries, type Walk } from './nodes.ts';

/** Aliases can make much of little. */
const MOST_VALUES = 10_000;
const DEEPEST = 50;

interface Reading extends Walk {
  values: number;
}

/** Whether the field is a google.protobuf.Struct. */
export function isFreeMapping(field: DescField): boolean {
  return field.message?.typeName === StructSchema.typeName;
}

/** The mapping, or undefined with its faults among the findings. */
export function readFreeMapping(node: Node, path: string, walk: Walk): { [name: string]: Json } | undefined {
  if (!isMap(node)) {
    walk.findings.add(path, `must be a mapping, not ${describe(node)}`);
    return undefined;
  }
  const reading = { ...walk, values: 0 };
  const read = readMapping(node, path, reading, 1);
  if (reading.values > MOST_VALUES)
    walk.findings.add(path, `holds more than ${MOST_VALUES} values: write fewer aliases`);
  return read;
}

function readMapping(
  node: Node,
  path: string,
  reading: Reading,
  depth: number,
): { [name: string]: Json } | undefined {
  const entries = readEntries(node, path, reading);
  if (entries === undefined) return undefined;
  const values: [string, Json][] = [];
  for (const [key, { keyOffset, value }] of entries) {
    const entryPath = keyPath(path, key);
    reading.findings.place(entryPath, isScalar(value) ? offsetOf(value, keyOffset) : keyOffset);
    const target = follow(value, entryPath, reading);
    if (target === undefined || (isScalar(target) && target.value === null)) continue;
    const read = readValue(target, entryPath, reading, depth);
    if (read !== undefined) values.push([key, read]);
  }
  // Not by assignment: a key such as `__proto__` must become an ordinary one.
  return Object.fromEntries(values);
}

function readValue(node: Node, path: string, reading: Reading, depth: number): Json | undefined {
  reading.values += 1;
  if (reading.values > MOST_VALUES) return undefined;
  if (depth > DEEPEST) {
    reading.findings.add(path, `is nested more than ${DEEPEST} times`);
    return undefined;
  }
  if (isMap(node)) return readMapping(node, path, reading, depth + 1);
  if (isSeq(node)) return readList(node.items as ParsedNode[], path, reading, depth);
  const { value } = node as { readonly value?: unknown };
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  reading.findings.add(path, `${describe(node)} must be text, a number, true or false, a list or a mapping`);
  return undefined;
}

function readList(
  items: readonly ParsedNode[],
  path: string,
  reading: Reading,
  depth: number,
): readonly Json[] {
  return items.flatMap((item, index) => {
    const elementPath = `${path}[${index}]`;
    reading.findings.place(elementPath, item.range[0]);
    const target = follow(item, elementPath, reading);
    const read = target === undefined ? undefined : readValue(target, elementPath, reading, depth + 1);
    return read === undefined ? [] : [read];
  });
}
