/** Something that would make an adoption lose requests, or that is good to know before it. */

export interface Finding {
  /** A word in CamelCase: what `--waive` names. */
  readonly name: string;
  /** `Refused`: it cannot be done. `Lossy`: it may lose requests, unless it is waived. `Told`: good to know. */
  readonly weight: 'Refused' | 'Lossy' | 'Told';
  readonly message: string;
}

/** The finding where it is so. */
export function when(
  is: boolean,
  name: string,
  weight: Finding['weight'],
  message: () => string,
): readonly Finding[] {
  return is ? [{ name, weight, message: message() }] : [];
}
