/** A request that cannot be answered as it is: INVALID_ARGUMENT. The message names the field and what would be right. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError';
}
