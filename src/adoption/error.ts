/** Why an adoption cannot be made, or not go on, in words for whoever asked for it. */

export class AdoptionError extends Error {
  override readonly name = 'AdoptionError';
  /** What was found, and what would be right. */
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}
