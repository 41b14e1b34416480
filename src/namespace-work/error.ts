/** Why work in a namespace cannot be done, or not go on, in words for whoever asked for it. */

export class NamespaceWorkError extends Error {
  override readonly name = 'NamespaceWorkError';
  /** What was found, and what would be right. */
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}
