/** Measured numbers as people read them. Pure. */

/** A count with separators: `1,204`. */
export function countText(count: number | bigint): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** A measured value, about three digits exact: `99.82`, `0.0123`, `1,204`. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1 || size === 0) {
    return value.toLocaleString('en-US', { maximumFractionDigits: size >= 1000 ? 0 : size >= 100 ? 1 : 2 });
  }
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}
