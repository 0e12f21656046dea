/** Arguments that cannot be used: the command ends with 2 and says how it is used. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
