/**
 * A message of the proto in, plain data out, as a user would write it in YAML or JSON: the reverse of the walk, and
 * like it driven by the descriptor.
 */
import { type DescField, toJson } from '@bufbuild/protobuf';
import { type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { type Duration, type Struct, StructSchema, type Value } from '@bufbuild/protobuf/wkt';
import {
  type VersionedService as ServiceMessage,
  VersionedServiceSchema,
} from '../gen/switchyard/config/v1/config_pb.js';
import { formatDuration } from './duration.ts';
import { isFreeMapping } from './free-mapping.ts';
import { countOrText, enumWord, isCountOrText, isDuration, milliseconds } from './leaf.ts';
import { ruleOf } from './rules.ts';

/** What YAML and JSON can hold. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** The document of a service as plain data; fields in the order of the proto. */
export function plainService(message: ServiceMessage): Plain {
  return plainMessage(reflect(VersionedServiceSchema, message));
}

function plainMessage(message: ReflectMessage): Plain {
  const entries = message.fields
    .filter((field) => isWritten(field, message))
    .map((field) => [field.jsonName, plainField(field, message)] as const);
  return Object.fromEntries(entries);
}

/** A zero is a value; an empty list is one where leaving it out means something else; what was left out stays out. */
function isWritten(field: DescField, message: ReflectMessage): boolean {
  if (message.isSet(field)) return true;
  const { required, default: otherwise } = ruleOf(field);
  if (field.fieldKind === 'scalar') return field.oneof === undefined && otherwise !== undefined;
  return field.fieldKind === 'list' && (required !== undefined || otherwise !== undefined);
}

function plainField(field: DescField, message: ReflectMessage): Plain {
  const value: unknown = message.get(field);
  if (field.fieldKind === 'list')
    return [...(value as Iterable<unknown>)].map((element) => plainValue(field, element));
  if (field.fieldKind !== 'map') return plainValue(field, value);
  const entries = [...(value as ReadonlyMap<unknown, unknown>)].toSorted(([a], [b]) =>
    String(a) < String(b) ? -1 : 1,
  );
  return Object.fromEntries(entries.map(([key, element]) => [String(key), plainValue(field, element)]));
}

function plainValue(field: DescField, value: unknown): Plain {
  if (isDuration(field)) return formatDuration(milliseconds((value as ReflectMessage).message as Duration));
  if (isCountOrText(field)) return countOrText((value as ReflectMessage).message as Value);
  if (isFreeMapping(field)) return toJson(StructSchema, (value as ReflectMessage).message as Struct) as Plain;
  if (field.message !== undefined) return plainMessage(value as ReflectMessage);
  if (field.enum !== undefined) return enumWord(field.enum, value as number);
  return value as string | number | boolean;
}
