/**
 * What was encoded for the last table and for this one, by what it was made of. A publish makes only what is new, so its
 * work grows with what changed; what the table no longer needs is forgotten with the next one.
 */

/** Gives what `key` stands for: from memory, or made now. The key must tell everything that `make` depends on. */
export type Remember = <Value>(key: readonly unknown[], make: () => Value) => Value;

export interface Memory {
  readonly remember: Remember;
  /** A new table begins: what the one before the last was made of is forgotten. */
  turn(): void;
}

/** Makes an empty memory. */
export function createMemory(): Memory {
  let last = new Map<string, unknown>();
  let current = new Map<string, unknown>();
  return {
    remember<Value>(key: readonly unknown[], make: () => Value): Value {
      const text = JSON.stringify(key);
      const value = current.has(text) ? current.get(text) : last.has(text) ? last.get(text) : make();
      current.set(text, value);
      return value as Value;
    },
    turn() {
      last = current;
      current = new Map();
    },
  };
}
