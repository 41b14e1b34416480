/** Why an artifact cannot be had, and whether it is worth another try. */

/** `Final`: it will never be right, so it is not asked for again before it changes or an operator says so. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError';
  readonly kind: 'Final' | 'Again';
  constructor(kind: 'Final' | 'Again', message: string) {
    super(message);
    this.kind = kind;
  }
}
