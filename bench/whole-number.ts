/** Numbers on the command line of a benchmark. */

/** The value of `--name`, or `otherwise` where it was not given. Throws RangeError that names the option. */
export function wholeNumber(name: string, given: string | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`--${name} must be a whole number above 0, not ${JSON.stringify(given)}`);
}
