/**
 * One YAML scalar in, one value of the proto out, or what would be right instead. YAML guesses types (`1.8` is a
 * number, `yes` is text), so a scalar of the wrong type gets a message that says how to write it.
 */
import { create, type DescEnum, type DescField, ScalarType } from '@bufbuild/protobuf';
import {
  type Duration,
  DurationSchema,
  durationFromMs,
  durationMs,
  type Value,
  ValueSchema,
} from '@bufbuild/protobuf/wkt';
import { isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { DURATION_RULE, formatDuration, parseDuration } from './duration.ts';
import type { FieldRule } from './field-rule.ts';
import { didYouMean } from './suggest.ts';

/** A value, or what is wrong with the scalar, beginning with its text. */
export type Leaf =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'fault'; readonly message: string };

/** Reads a scalar, an enum or a duration, as the field's type says. */
export function readLeaf(field: DescField, node: Node, rule: FieldRule): Leaf {
  if (!isScalar(node)) return fault(`must be ${typeWords(field)}, not ${describe(node)}`);
  if (node.value === null) return fault('has no value: write one, or leave the field out');
  if (isCountOrText(field)) return readCountOrText(node, rule);
  if (field.message !== undefined) return readDuration(node, rule);
  if (field.enum !== undefined) return readEnum(field.enum, node);
  const { scalar } = field;
  if (scalar === ScalarType.STRING) return readText(node, rule);
  if (scalar === ScalarType.BOOL) return readBoolean(node);
  if (scalar === ScalarType.UINT32) return readInteger(node, rule);
  if (scalar === ScalarType.DOUBLE) return readNumber(node, rule);
  throw new Error(`${field.toString()}: the parser does not read scalar type ${scalar}`);
}

/** Whether the field is a google.protobuf.Duration, which is written as text. */
export function isDuration(field: DescField): boolean {
  return field.message?.typeName === DurationSchema.typeName;
}

/** Whether the field is a google.protobuf.Value: a whole number or text, as Kubernetes has ports and parts. */
export function isCountOrText(field: DescField): boolean {
  return field.message?.typeName === ValueSchema.typeName;
}

/** Whether the field is a message of the proto, and a single value in a document. */
export function isLeafMessage(field: DescField): boolean {
  return isDuration(field) || isCountOrText(field);
}

/** A value in the words of a user: text in quotes, long text cut. */
export function describe(node: Node): string {
  if (!isScalar(node)) return isSeq(node) ? 'a list' : 'a mapping';
  if (node.value === null) return 'nothing';
  const text = typeof node.value === 'string' ? JSON.stringify(node.value) : sourceOf(node);
  return text.length <= 80 ? text : `${text.slice(0, 76)}...`;
}

/** The word that a user writes for a value of an enum: `SameAsClient` for PROTOCOL_SAME_AS_CLIENT. */
export function enumWord(desc: DescEnum, number: number): string {
  const name = desc.value[number]?.localName ?? String(number);
  return name.toLowerCase().replaceAll(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** As it was written: `1.80` is the number 1.8 to YAML, and another version to its user. */
function sourceOf(node: Scalar): string {
  return node.source ?? JSON.stringify(node.value);
}

function readText(node: Scalar, rule: FieldRule): Leaf {
  const { value } = node;
  if (typeof value !== 'string')
    return fault(`${describe(node)} must be text: quote it, "${sourceOf(node)}"`);
  const wrong = rule.text?.(value);
  return wrong === undefined ? { kind: 'value', value } : fault(`${describe(node)} ${wrong}`);
}

function readBoolean(node: Scalar): Leaf {
  if (typeof node.value === 'boolean') return { kind: 'value', value: node.value };
  const quoted = node.value === 'true' || node.value === 'false' ? ': leave the quotes out' : '';
  return fault(`${describe(node)} must be true or false${quoted}`);
}

function readInteger(node: Scalar, rule: FieldRule): Leaf {
  const { value } = node;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || Object.is(value, -0)) {
    const quoted = typeof value === 'string' && /^\d+$/.test(value) ? ': leave the quotes out' : '';
    return fault(`${describe(node)} must be a whole number${quoted}`);
  }
  const [min, max] = rule.range ?? [0, 0xffff_ffff];
  return value >= min && value <= max
    ? { kind: 'value', value }
    : fault(`${describe(node)} must be ${min} to ${max}`);
}

/** Text follows the rule's format, a number its range. */
function readCountOrText(node: Scalar, rule: FieldRule): Leaf {
  const isText = typeof node.value === 'string';
  const leaf = isText ? readText(node, rule) : readInteger(node, rule);
  if (leaf.kind === 'fault') return leaf;
  const kind = isText
    ? { case: 'stringValue' as const, value: leaf.value as string }
    : { case: 'numberValue' as const, value: leaf.value as number };
  return { kind: 'value', value: create(ValueSchema, { kind }) };
}

function readNumber(node: Scalar, rule: FieldRule): Leaf {
  const { value } = node;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const quoted =
      typeof value === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(value) ? ': leave the quotes out' : '';
    return fault(`${describe(node)} must be a number${quoted}`);
  }
  const [min, max] = rule.range ?? [-Infinity, Infinity];
  // -0 and 0 are one value.
  return value >= min && value <= max
    ? { kind: 'value', value: value + 0 }
    : fault(`${describe(node)} must be ${min} to ${max}`);
}

function readDuration(node: Scalar, rule: FieldRule): Leaf {
  if (typeof node.value === 'number') return fault(`${describe(node)} has no unit: write ${DURATION_RULE}`);
  const length = typeof node.value === 'string' ? parseDuration(node.value) : undefined;
  if (length === undefined) return fault(`${describe(node)} must be ${DURATION_RULE}`);
  const [min, max] = rule.range ?? [0, Number.MAX_SAFE_INTEGER];
  if (length >= min && length <= max) return { kind: 'value', value: durationFromMs(length) };
  return fault(`${describe(node)} must be ${formatDuration(min)} to ${formatDuration(max)}`);
}

function readEnum(desc: DescEnum, node: Scalar): Leaf {
  const choices = desc.values.filter(({ number }) => number !== 0);
  const words = choices.map(({ number }) => enumWord(desc, number));
  const chosen = choices[words.findIndex((word) => word === node.value)];
  if (chosen !== undefined) return { kind: 'value', value: chosen.number };
  const text = typeof node.value === 'string' ? node.value : '';
  return fault(`${describe(node)} must be one of ${words.join(', ')}${didYouMean(text, words)}`);
}

function typeWords(field: DescField): string {
  if (isCountOrText(field)) return 'a whole number or text';
  if (field.message !== undefined) return DURATION_RULE;
  if (field.enum !== undefined) return 'a word';
  if (field.scalar === ScalarType.STRING) return 'text';
  if (field.scalar === ScalarType.BOOL) return 'true or false';
  return field.scalar === ScalarType.DOUBLE ? 'a number' : 'a whole number';
}

function fault(message: string): Leaf {
  return { kind: 'fault', message };
}

/** Milliseconds of a proto duration that the walk made. */
export function milliseconds(duration: Duration | undefined): number {
  return durationMs(duration ?? create(DurationSchema));
}

/** The number or text of a value that the walk made. */
export function countOrText(value: Value | undefined): number | string {
  const { kind } = value ?? create(ValueSchema);
  if (kind.case === 'numberValue' || kind.case === 'stringValue') return kind.value;
  throw new Error('a message with faults was taken as a model');
}
