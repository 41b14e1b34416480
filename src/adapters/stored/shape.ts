/**
 * Strict reading of what comes from a store or from a peer: a value of unknown shape enters, and a value of the model
 * leaves, or a ShapeError that names the field. The types tie each shape to its model type, so that a field that is
 * added to the model and not here is a compile error. Fields that a newer release added are left out, not refused:
 * the release before must still read the record.
 */
import type { Json } from '../../model/json.ts';

/** Reads one kind of value. */
export interface Shape<T> {
  /** Returns the value, or throws ShapeError with `path` as the field. */
  read(value: unknown, path: string): T;
}

/** A field that may be absent. */
export interface OptionalShape<T> {
  readonly optional: Shape<T>;
}

/** A stored value that is not what the model says. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  constructor(path: string, value: unknown, right: string) {
    super(`${path === '' ? 'the record' : path} is ${excerpt(value)} where ${right} belongs`);
  }
}

/** A shape for each field: required ones as they are, optional ones wrapped by `optional`. */
export type Fields<T> = {
  readonly [Key in keyof T]-?: Partial<Pick<T, Key>> extends Pick<T, Key>
    ? OptionalShape<Exclude<T[Key], undefined>>
    : Shape<T[Key]>;
};

/** Any text. */
export const text: Shape<string> = primitive('text', (value) => typeof value === 'string');
/** True or false. */
export const truth: Shape<boolean> = primitive('true or false', (value) => typeof value === 'boolean');
/** A whole number of at least 0. */
export const count: Shape<number> = primitive(
  'a whole number of at least 0',
  (value) => Number.isSafeInteger(value) && (value as number) >= 0,
);
/** A finite number of at least 0: a length of time. */
export const length: Shape<number> = primitive(
  'a number of at least 0',
  (value) => Number.isFinite(value) && (value as number) >= 0,
);

/** Any finite number. */
export const number: Shape<number> = primitive('a finite number', Number.isFinite);

/** A whole number of at least 0, or text: ports and parts as Kubernetes has them. */
export const countOrText: Shape<number | string> = primitive(
  'a whole number of at least 0, or text',
  (value) => typeof value === 'string' || (Number.isSafeInteger(value) && (value as number) >= 0),
);

/** Whatever JSON can say: it came from a store or a peer as JSON. */
export const anyJson: Shape<Json> = { read: (value) => value as Json };

/** A value that may be null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return { read: (value, path) => (value === null ? null : shape.read(value, path)) };
}

/** A field that an older release did not write: it reads as `fallback` where it is absent. */
export function since<T>(shape: Shape<T>, fallback: T): Shape<T> {
  return { read: (value, path) => (value === undefined ? fallback : shape.read(value, path)) };
}

/** Text or a number that the model's own parser accepts. */
export function parsed<From, T>(from: Shape<From>, parse: (value: From) => T): Shape<T> {
  return {
    read(value, path) {
      const raw = from.read(value, path);
      try {
        return parse(raw);
      } catch (error) {
        throw new ShapeError(
          path,
          value,
          `a valid value (${error instanceof Error ? error.message : String(error)})`,
        );
      }
    },
  };
}

/** One of the listed words. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Shape<Word> {
  return primitive(`one of ${words.join(', ')}`, (value) => words.includes(value as Word));
}

/** A list of values of one shape. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    read(value, path) {
      if (!Array.isArray(value)) throw new ShapeError(path, value, 'a list');
      return value.map((entry: unknown, index) => item.read(entry, `${path}[${index}]`));
    },
  };
}

/** An object whose keys are free. */
export function dictionary<T>(item: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return {
    read(value, path) {
      const entries = Object.entries(asObject(value, path));
      return Object.fromEntries(entries.map(([key, entry]) => [key, item.read(entry, `${path}.${key}`)]));
    },
  };
}

/** Marks a field that may be absent. */
export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return { optional: shape };
}

/** An object with exactly these fields; others are left out. */
export function object<T extends object>(fields: Fields<T>): Shape<T> {
  const entries = Object.entries<Shape<unknown> | OptionalShape<unknown>>(fields);
  return {
    read(value, path) {
      const source = asObject(value, path);
      const result: Record<string, unknown> = {};
      for (const [name, shape] of entries) {
        const field = path === '' ? name : `${path}.${name}`;
        if ('read' in shape) result[name] = shape.read(source[name], field);
        else if (source[name] !== undefined) result[name] = shape.optional.read(source[name], field);
      }
      return result as T;
    },
  };
}

/** A union whose `kind` says which variant it is: the fields of each variant, without `kind`. */
export function tagged<T extends { readonly kind: string }>(
  variants: {
    readonly [Kind in T['kind']]: Fields<Omit<Extract<T, { readonly kind: Kind }>, 'kind'>>;
  },
): Shape<T> {
  const shapes = new Map(
    Object.entries(variants).map(([kind, fields]) => [
      kind,
      object(fields as Fields<Record<string, unknown>>),
    ]),
  );
  return {
    read(value, path) {
      const { kind } = asObject(value, path);
      const shape = typeof kind === 'string' ? shapes.get(kind) : undefined;
      if (shape === undefined) {
        throw new ShapeError(
          path === '' ? 'kind' : `${path}.kind`,
          kind,
          `one of ${[...shapes.keys()].join(', ')}`,
        );
      }
      return { kind, ...shape.read(value, path) } as unknown as T;
    },
  };
}

/** Refuses a value that could not be read back after it was written. Throws TypeError that begins with `name`. */
export function assertReadable(shape: Shape<unknown>, value: unknown, name: string): void {
  try {
    shape.read(value, '');
  } catch (error) {
    throw new TypeError(`${name} cannot be stored: ${(error as Error).message}`, { cause: error });
  }
}

function primitive<T>(right: string, accepts: (value: unknown) => boolean): Shape<T> {
  return {
    read(value, path) {
      if (!accepts(value)) throw new ShapeError(path, value, right);
      return value as T;
    },
  };
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ShapeError(path, value, 'an object');
  return value as Record<string, unknown>;
}

function excerpt(value: unknown): string {
  if (value === undefined) return 'absent';
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
