/**
 * What one field of a document must be, beyond its type in the proto. rules.ts holds the table of them; the ranges and
 * shapes that several fields share are here.
 */
import { type TextFormat } from './text-formats.ts';

/** The rule of one field. A field that is neither required nor has a default may be absent. */
export interface FieldRule {
  /** The field must be given; the text says what to write. */
  readonly required?: string;
  /** What is read where the field is absent: YAML text, as a user would write it. */
  readonly default?: string;
  /** Both ends are allowed; in milliseconds for a duration. Of each element, for a list. */
  readonly range?: Range;
  /** Of each element, for a list or a map. */
  readonly text?: TextFormat;
  /** Of each key of a map. */
  readonly keys?: TextFormat;
  /** How many elements a list or a map may have. Every list and map has such a limit. */
  readonly size?: Range;
  /** Elements must differ: as a whole, or in their field of this name. */
  readonly unique?: 'value' | 'name';
}

/** Rules by `Message.field`. */
export type FieldRules = Readonly<Record<string, FieldRule>>;

type Range = readonly [min: number, max: number];

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const WEEK = 7 * 24 * HOUR;

export const INTERVAL: Range = [100, HOUR];
export const TIMEOUT: Range = [10, 10 * MINUTE];
/** Present as a member of a oneof, or not at all. */
export const CHOICE: FieldRule = {};
