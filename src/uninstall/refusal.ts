/** Why an uninstallation cannot be made, or not go on. */

export class UninstallError extends Error {
  override readonly name = 'UninstallError';
  readonly hints: readonly string[];

  constructor(message: string, hints: readonly string[] = []) {
    super(message);
    this.hints = hints;
  }
}
