/** A finding of lint, by the field of the document that it is about. */

export interface Finding {
  /** `error`: it cannot work as it is written, and `apply` refuses it. */
  readonly severity: 'error' | 'warning';
  readonly field: string;
  /** What can happen, and what to write instead. */
  readonly message: string;
}

/** Something that a careful operator would want to know. */
export function warning(field: string, message: string): Finding {
  return { severity: 'warning', field, message };
}

/** Something that cannot work. */
export function error(field: string, message: string): Finding {
  return { severity: 'error', field, message };
}

/** The finding where it applies, else none. */
export function when(applies: boolean, finding: () => Finding): readonly Finding[] {
  return applies ? [finding()] : [];
}
