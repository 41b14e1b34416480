/** A value that the walk over a document has made sure of. */
export function given<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a message with faults was taken as a model');
  return value;
}
