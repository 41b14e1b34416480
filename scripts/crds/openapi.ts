/**
 * The OpenAPI schema of a message of our config protos, as a custom resource needs it: from the descriptors, the comments of
 * the protos, and the same table of rules that the parser of documents reads, so that `kubectl apply` refuses what `lint`
 * refuses.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { formatDuration } from '../../src/spec/duration.ts';
import type { FieldRule } from '../../src/spec/field-rule.ts';
import { isFreeMapping } from '../../src/spec/free-mapping.ts';
import { enumWord, isCountOrText, isDuration } from '../../src/spec/leaf.ts';
import { ruleOf } from '../../src/spec/rules.ts';
import { celOf } from './cel.ts';
import { commentOfField } from './comments.ts';
import { DURATION, patternOf, type TextSchema } from './patterns.ts';

/** A rule in CEL, as the API server evaluates it. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  /** The field that is wrong, from the place of the rule: `.max`. */
  readonly fieldPath?: string;
}

/** A part of a structural schema. */
export interface Schema {
  /** Absent: a whole number or text. */
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly CelRule[];
}

/** The schema of a message. */
export function messageSchema(desc: DescMessage): Schema {
  const required = desc.fields.filter((field) => ruleOf(field).required !== undefined);
  const rules = [...desc.oneofs.filter(isRealChoice).map(choiceRule), ...celOf(desc)];
  return {
    type: 'object',
    properties: Object.fromEntries(
      desc.fields.map((field) => [
        field.jsonName,
        { description: commentOfField(field), ...fieldSchema(field) },
      ]),
    ),
    ...(required.length === 0 ? {} : { required: required.map(({ jsonName }) => jsonName) }),
    ...validations(rules),
  };
}

/** `optional` fields are choices of one for protobuf only. */
function isRealChoice({ fields }: DescMessage['oneofs'][number]): boolean {
  return fields.length > 1;
}

function choiceRule({ fields }: DescMessage['oneofs'][number]): CelRule {
  const names = fields.map(({ jsonName }) => jsonName);
  return {
    rule: `[${names.map((name) => `has(self.${name})`).join(', ')}].exists_one(given, given)`,
    message: `needs exactly one of ${names.join(', ')}`,
  };
}

function fieldSchema(field: DescField): Schema {
  const rule = ruleOf(field);
  if (field.fieldKind === 'list') {
    const items = singleSchema(field);
    const [minItems, maxItems] = rule.size ?? [0, 0];
    return {
      type: 'array',
      items,
      ...(minItems > 0 && { minItems }),
      maxItems,
      ...listType(rule.unique, items),
    };
  }
  if (field.fieldKind === 'map') {
    const [minProperties, maxProperties] = rule.size ?? [0, 0];
    const keys = rule.keys === undefined ? undefined : patternOf(rule.keys);
    return {
      type: 'object',
      additionalProperties: singleSchema(field),
      ...(minProperties > 0 && { minProperties }),
      maxProperties,
      ...validations(keys === undefined ? [] : keyRules(keys)),
    };
  }
  return singleSchema(field);
}

function listType(unique: 'value' | 'name' | undefined, { type }: Schema): Partial<Schema> {
  if (unique === 'name') return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
  const isSet = unique === 'value' && type !== 'object';
  return { 'x-kubernetes-list-type': isSet ? 'set' : 'atomic' };
}

/** A value that is neither list nor map. */
function singleSchema(field: DescField): Schema {
  const rule = ruleOf(field);
  if (isDuration(field)) return durationSchema(rule.range);
  if (isCountOrText(field)) return countOrTextSchema(rule);
  if (isFreeMapping(field)) return POD_TEMPLATE;
  if (field.message !== undefined) return messageSchema(field.message);
  if (field.enum !== undefined) {
    const choices = field.enum.values.filter(({ number }) => number !== 0);
    const { enum: desc } = field;
    return { type: 'string', enum: choices.map(({ number }) => enumWord(desc, number)) };
  }
  const { scalar } = field;
  if (scalar === ScalarType.STRING) return textSchema(rule.text === undefined ? {} : patternOf(rule.text));
  if (scalar === ScalarType.BOOL) return { type: 'boolean' };
  if (scalar === ScalarType.UINT32) {
    const [minimum, maximum] = rule.range ?? [0, 0xffff_ffff];
    return { type: 'integer', format: 'int64', minimum, maximum };
  }
  if (scalar !== ScalarType.DOUBLE) {
    throw new Error(`${field.toString()}: no schema for scalar type ${scalar}`);
  }
  return {
    type: 'number',
    ...(rule.range === undefined ? {} : { minimum: rule.range[0], maximum: rule.range[1] }),
  };
}

function textSchema({ pattern, minLength, maxLength = 4_096, rules = [] }: TextSchema): Schema {
  return {
    type: 'string',
    maxLength,
    ...(minLength === undefined ? {} : { minLength }),
    ...(pattern === undefined ? {} : { pattern }),
    ...validations(rules),
  };
}

function countOrTextSchema({ range = [0, 0xffff_ffff], text }: FieldRule): Schema {
  const { pattern = '', maxLength = 0, rules = [] } = text === undefined ? {} : patternOf(text);
  const [min, max] = range;
  const isText = [`self.matches(${JSON.stringify(pattern)})`, ...rules.map(({ rule }) => `(${rule})`)];
  const asText = isText.join(' && ').replaceAll('self', 'string(self)');
  return {
    'x-kubernetes-int-or-string': true,
    ...validations([
      {
        rule: `type(self) == int ? int(self) >= ${min} && int(self) <= ${max} : size(string(self)) <= ${maxLength} && ${asText}`,
        message: `must be ${min} to ${max}, or text that matches ${pattern}`,
      },
    ]),
  };
}

function durationSchema(range: readonly [number, number] | undefined): Schema {
  const [min, max] = (range ?? [0, Number.NaN]).map(formatDurationOrNothing);
  const bounds = [
    ...(min === undefined ? [] : [`duration(self) >= duration('${min}')`]),
    ...(max === undefined ? [] : [`duration(self) <= duration('${max}')`]),
  ];
  return {
    ...textSchema(DURATION),
    ...validations(
      bounds.length === 0 ? [] : [{ rule: bounds.join(' && '), message: `must be ${min ?? '0s'} to ${max}` }],
    ),
  };
}

function formatDurationOrNothing(milliseconds: number): string | undefined {
  return Number.isNaN(milliseconds) ? undefined : formatDuration(milliseconds);
}

function keyRules({ pattern, rules = [] }: TextSchema): readonly CelRule[] {
  return [
    ...(pattern === undefined
      ? []
      : [
          {
            rule: `self.all(key, key.matches(${JSON.stringify(pattern)}))`,
            message: `keys must match ${pattern}`,
          },
        ]),
    ...rules.map(({ rule, message }) => ({
      rule: `self.all(key, ${rule.replaceAll('self', 'key')})`,
      message: `keys: ${message}`,
    })),
  ];
}

function validations(rules: readonly CelRule[]): Partial<Schema> {
  return rules.length === 0 ? {} : { 'x-kubernetes-validations': rules };
}

/** What is looked at in a Pod template; the API server checks the rest when a Deployment is made of it. */
const POD_TEMPLATE: Schema = {
  type: 'object',
  properties: {
    metadata: open({}),
    spec: open({
      properties: {
        containers: {
          type: 'array',
          minItems: 1,
          maxItems: 100,
          'x-kubernetes-list-type': 'atomic',
          items: open({ properties: { name: { type: 'string', maxLength: 63 } }, required: ['name'] }),
        },
      },
      required: ['containers'],
    }),
  },
  required: ['spec'],
};

function open(schema: Pick<Schema, 'properties' | 'required'>): Schema {
  return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, ...schema };
}
